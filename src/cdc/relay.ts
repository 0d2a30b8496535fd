import { Injectable, Logger, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { EventLog, TopicProvisioner } from '../messaging';
import { Environment } from '../platform/config';
import { Database } from '../platform/database';
import { HealthRegistry } from '../platform/health';
import type { BinlogPosition } from './binlog-position';
import { BinlogServer } from './binlog-server';
import { UndecodableEventError } from './binlog-stream';
import { binlogTopic } from './binlog.topic';
import { CaptureGaps } from './capture-gaps';
import { CdcPositions } from './cdc-positions';
import { RelaySeat } from './relay-seat';
import { RelaySession } from './relay-session';
import { relayCapturing, relayGaps } from './relay.metrics';

/** Milliseconds before the next attempt, and before a waiting instance tries for the seat again. */
const RETRY = 500;
const STANDBY = 1_000;
/** Attempts at one position before an event that cannot be read is given up. */
const ATTEMPTS = 3;
/** MySQL cannot read its binlog from the position: it is purged, cut short, or another one. */
const UNREADABLE_POSITION = 1236;
/** The same number for something else: two replicas of one id, of which this one has to try again. */
const SAME_REPLICA = /same server_(uuid|id)/i;

/**
 * Change capture without Canal: reads the binlog as a replica does and publishes the captured rows
 * in Canal's own form. One instance does so at a time, the others wait to take over. Nothing is lost
 * by crashes, and little is sent twice. What cannot be captured is told by `CaptureGaps`.
 */
@Injectable()
export class Relay implements OnModuleInit, OnModuleDestroy {
  private readonly logger = new Logger('Relay');
  private readonly stopping = new AbortController();
  private running: Promise<void> = Promise.resolve();
  private fault: string | undefined = 'change capture is starting';
  /** How often an event behind this position could not be read. */
  private stuck = { at: '', attempts: 0 };

  constructor(
    private readonly environment: Environment,
    private readonly database: Database,
    private readonly server: BinlogServer,
    private readonly log: EventLog,
    private readonly provisioner: TopicProvisioner,
    private readonly gaps: CaptureGaps,
    private readonly health: HealthRegistry,
  ) {}

  /**
   * Notes the first position before anything loads from the tables, so that no change lies between.
   * @throws BinlogUnavailableError saying what to set or grant
   */
  async onModuleInit(): Promise<void> {
    if (this.environment.CDC_ENGINE !== 'relay' || this.environment.ROLE === 'api') return;
    await this.server.check();
    const positions = new CdcPositions((sql, values) => this.database.bulkRows(sql, values));
    if (!(await positions.find()))
      await positions.begin(await this.server.end(), await this.server.id());
    this.health.add('cdc', () =>
      this.fault === undefined ? Promise.resolve() : Promise.reject(new Error(this.fault)),
    );
    this.running = this.run();
  }

  async onModuleDestroy(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private async run(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      let seat: RelaySeat | undefined;
      try {
        seat = await RelaySeat.connect(this.environment.MYSQL_URL);
        if (await this.awaitTurn(seat)) await this.capture(seat);
      } catch (error) {
        this.onFault(this.server.explain(error as Error));
      } finally {
        relayCapturing.set(0);
        seat?.release();
      }
      await this.pause(RETRY);
    }
  }

  /** @returns false when the program stops before the seat is free */
  private async awaitTurn(seat: RelaySeat): Promise<boolean> {
    while (!this.stopping.signal.aborted) {
      if (await seat.claim()) return true;
      // Another instance captures: this one is ready to take over.
      this.fault = undefined;
      await this.pause(STANDBY);
    }
    return false;
  }

  private async capture(seat: RelaySeat): Promise<void> {
    await this.provisioner.ensure(binlogTopic);
    const serverId = await this.server.id();
    const from = (await seat.positions.find()) ?? { ...(await this.server.end()), serverId };
    if (from.serverId !== null && from.serverId !== serverId)
      return this.skip(seat, from, `it belongs to server ${from.serverId}, this is ${serverId}`);
    const session = new RelaySession({
      url: this.environment.MYSQL_URL,
      database: await this.database.schema(),
      serverId,
      from,
      seat,
      log: this.log,
      stopping: this.stopping.signal,
      onOpen: () => {
        this.logger.log(`Capturing changes from ${from.file}:${from.offset}`);
        this.fault = undefined;
        relayCapturing.set(1);
      },
    });
    try {
      await session.run();
    } catch (error) {
      this.provisioner.forget(binlogTopic);
      if (!this.isBeyondRetry(error as Error, from)) throw error;
      await this.skip(seat, from, (error as Error).message);
    }
  }

  private isBeyondRetry(error: Error & { errno?: number }, from: BinlogPosition): boolean {
    if (error.errno === UNREADABLE_POSITION) return !SAME_REPLICA.test(error.message);
    if (!(error instanceof UndecodableEventError)) return false;
    const at = `${from.file}:${from.offset}`;
    this.stuck = { at, attempts: this.stuck.at === at ? this.stuck.attempts + 1 : 1 };
    return this.stuck.attempts >= ATTEMPTS;
  }

  /** Goes on at the binlog's end, and only then tells, so that what loads anew misses nothing. */
  private async skip(seat: RelaySeat, from: BinlogPosition, cause: string): Promise<void> {
    const end = await this.server.end();
    await seat.positions.save(end, await this.server.id());
    const reason = `the binlog cannot be read on from ${from.file}:${from.offset} (${cause})`;
    this.logger.error(
      `Changes are missing: ${reason}. Capture goes on at ${end.file}:${end.offset}; boards and cached counters are read anew, and \`npm run cli -- verify\` tells what else differs.`,
    );
    relayGaps.inc();
    this.gaps.gaps$.next({ reason });
  }

  private onFault(error: Error): void {
    const message = error.message || error.name;
    if (this.fault !== message) this.logger.warn(`Change capture is interrupted: ${message}`);
    this.fault = message;
  }

  private pause(milliseconds: number): Promise<void> {
    const { signal } = this.stopping;
    return new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, milliseconds);
      signal.addEventListener('abort', done);
    });
  }
}
