import {
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import { Subject } from 'rxjs';
import { groupsOf } from '../../messaging';
import { Environment } from '../../platform/config';
import { Database } from '../../platform/database';
import { HealthRegistry } from '../../platform/health';
import { pause } from '../../platform/timing';
import { binlogTopic } from '../binlog.topic';
import { CaptureGaps } from '../capture-gaps';
import { captureHeartbeatsTable, MAIN_SOURCE, slotsOf } from './capture-heartbeats.table';
import { captureLag } from './capture.metrics';
import { HeartbeatRepository } from './heartbeat.repository';
import { placeOf, SeenBeats } from './seen-beats';
import { SeenBeatsCache } from './seen-beats.cache';
import { Standstill } from './standstill';

const INTERVAL_MS = 1_000;

/** How far a group is behind in the partition where it is furthest behind. */
interface Lag {
  readonly partition: number;
  readonly lagMs: number;
  /** The last beat that was seen there, in milliseconds since the epoch; undefined for none. */
  readonly seenAt: number | undefined;
}

/**
 * Knows whether change capture runs, whichever engine captures and whichever process consumes. Each
 * second an instance writes a beat for every partition into a captured table. The consumers see it
 * again, and every instance compares what they have seen with MySQL's clock. So a fault anywhere
 * between a commit and the end of its consumers shows, also one that nobody reports.
 */
@Injectable()
export class CaptureWatch implements OnApplicationBootstrap, OnModuleDestroy {
  /** The groups for which capture stands: each one again every second, until it is back. */
  readonly standing$ = new Subject<string>();
  private readonly logger = new Logger('Capture');
  private readonly stopping = new AbortController();
  private readonly standstills = new Map<string, Standstill>();
  private readonly lags = new Map<string, Lag>();
  private readonly startedAt = performance.now();
  /** By place. What Redis has lost stays here. */
  private readonly seen = new Map<string, number>();
  /** Why the last beat could not be written. */
  private fault: string | undefined;

  constructor(
    private readonly environment: Environment,
    private readonly database: Database,
    private readonly repository: HeartbeatRepository,
    private readonly beats: SeenBeats,
    private readonly cache: SeenBeatsCache,
    private readonly gaps: CaptureGaps,
    health: HealthRegistry,
  ) {
    health.report('capture', () => this.check());
  }

  onApplicationBootstrap(): void {
    for (const group of groupsOf(binlogTopic)) this.standstills.set(group, new Standstill());
    void this.run();
  }

  /** A beat that is under way may be lost. */
  onModuleDestroy(): void {
    this.stopping.abort();
  }

  /**
   * Whether a group has not seen recent changes for some seconds. What is derived from them may be
   * outdated, and must be compared with the database.
   */
  stands(group: string): boolean {
    return this.standstills.get(group)?.stands ?? false;
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      try {
        const mysqlNow = await this.look();
        if (signal.aborted) return;
        this.observe(mysqlNow, performance.now());
      } catch (error) {
        // Without MySQL nothing changes, and without Redis no cached counter is read.
        this.logger.debug(`The heartbeat cannot be followed: ${String(error)}`);
        for (const standstill of this.standstills.values()) standstill.skip();
      }
      for (const [group, { stands }] of this.standstills) if (stands) this.standing$.next(group);
      await pause(INTERVAL_MS, signal);
    }
  }

  /** Writes a beat, and reads which ones have been seen. @returns MySQL's time */
  private async look(): Promise<number> {
    const now = await this.repository.now();
    if (this.environment.ROLE !== 'api') await this.beat(now);
    const unsaved = new Map(this.beats.unsaved);
    for (const [place, at] of await this.cache.exchange(unsaved)) this.seen.set(place, at);
    for (const [place, at] of unsaved)
      if (this.beats.unsaved.get(place) === at) this.beats.unsaved.delete(place);
    return now;
  }

  private async beat(now: number): Promise<void> {
    try {
      const schema = await this.database.schema();
      await this.repository.beat(slotsOf(schema, binlogTopic.partitions), now);
      this.fault = undefined;
    } catch (error) {
      this.fault = (error as Error).message;
    }
  }

  private observe(mysqlNow: number, now: number): void {
    const ended: string[] = [];
    for (const [group, standstill] of this.standstills) {
      const lag = this.lagOf(group, mysqlNow, now);
      this.lags.set(group, lag);
      captureLag.set({ source: MAIN_SOURCE, group }, lag.lagMs / 1_000);
      const change = standstill.observe(lag.lagMs, now);
      if (change === 'begins')
        this.logger.error(
          `Change capture stands: ${describe(group, lag)}. Until it is back, counters are cached for seconds only, and boards are compared with the database every few seconds.`,
        );
      if (change === 'ends') ended.push(group);
    }
    if (ended.length === 0) return;
    this.logger.log(`Change capture is back for ${ended.join(' and ')}`);
    // Nobody knows what was missed. A worker compares it; that is enough for all processes.
    if (this.environment.ROLE !== 'api')
      this.gaps.report(`change capture stood for ${ended.join(' and ')}`);
  }

  private lagOf(group: string, mysqlNow: number, now: number): Lag {
    let worst: Lag | undefined;
    for (let partition = 0; partition < binlogTopic.partitions; partition++) {
      const seenAt = this.seen.get(placeOf(group, MAIN_SOURCE, partition));
      // MySQL's clock may be set back: then a beat of the future is old too.
      const lagMs = seenAt === undefined ? now - this.startedAt : Math.abs(mysqlNow - seenAt);
      if (!worst || lagMs > worst.lagMs) worst = { partition, lagMs, seenAt };
    }
    return worst!;
  }

  private async check(): Promise<void> {
    const standing = [...this.lags].filter(([group]) => this.stands(group));
    if (standing.length === 0) return;
    const fault = this.fault === undefined ? '' : `; no beat can be written: ${this.fault}`;
    throw new Error(standing.map(([group, lag]) => describe(group, lag)).join('; ') + fault);
  }
}

function describe(group: string, { partition, lagMs, seenAt }: Lag): string {
  const place = `partition ${partition} of ${binlogTopic.name}`;
  const seconds = Math.round(lagMs / 1_000);
  return seenAt === undefined
    ? `group ${group} has never seen a change of ${captureHeartbeatsTable.name} in ${place}, for ${seconds} s: it must be captured like the other tables`
    : `group ${group} has seen no change since ${new Date(seenAt).toISOString()} (${seconds} s) in ${place}`;
}
