import { Injectable, Logger, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { EventLog, TopicProvisioner } from '../../messaging';
import { Environment } from '../../platform/config';
import { Database } from '../../platform/database';
import { HealthRegistry } from '../../platform/health';
import { pause, withTimeout } from '../../platform/timing';
import type { BinlogPosition } from '../binlog/binlog-position';
import { BinlogServer } from '../binlog/binlog-server';
import { BinlogSettings } from '../binlog/binlog-settings';
import { UndecodableEventError } from '../binlog/binlog-stream';
import { binlogTopic } from '../binlog.topic';
import { CaptureGaps } from '../capture-gaps';
import { CapturedTables } from '../captured-tables';
import { CdcPositions } from './cdc-positions';
import { RelayLock } from './relay-lock';
import { RelaySession } from './relay-session';
import { relayCapturing, relayGaps } from './relay.metrics';

const RETRY_PAUSE_MS = 500;
/** How long a stop waits for the log to take what was read: it may hang. */
const STOP_TIMEOUT_MS = 5_000;
/** Between two attempts of a waiting instance to take the lock. */
const STANDBY_PAUSE_MS = 1_000;
/** Attempts at one position before an event that cannot be decoded is skipped. */
const ATTEMPTS = 3;
/** MySQL cannot read its binlog from the position: it was purged or truncated, or is another binlog. */
const UNREADABLE_POSITION = 1236;
/** The same error number for another case: two replicas have the same id, and this one must retry. */
const SAME_REPLICA = /same server_(uuid|id)/i;

/**
 * Change capture without Canal: reads the binlog as a replica does and publishes the captured rows
 * in Canal's own form. One instance does so at a time, the others wait to take over. A crash loses
 * nothing, and few changes are published twice. `CaptureGaps` reports what could not be captured.
 */
@Injectable()
export class Relay implements OnModuleInit, OnModuleDestroy {
  private readonly logger = new Logger('Relay');
  private readonly stopping = new AbortController();
  private running: Promise<void> = Promise.resolve();
  private fault: string | undefined = 'change capture is starting';
  /** How often an event after this position could not be decoded. */
  private stuck = { at: '', attempts: 0 };

  constructor(
    private readonly environment: Environment,
    private readonly database: Database,
    private readonly server: BinlogServer,
    private readonly settings: BinlogSettings,
    private readonly log: EventLog,
    private readonly tables: CapturedTables,
    private readonly provisioner: TopicProvisioner,
    private readonly gaps: CaptureGaps,
    private readonly health: HealthRegistry,
  ) {}

  /**
   * Saves the first position before anything is loaded from the tables, so that no change is missed
   * between the two.
   * @throws BinlogUnavailableError that says what to set or grant
   */
  async onModuleInit(): Promise<void> {
    if (this.environment.CDC_ENGINE !== 'relay' || this.environment.ROLE === 'api') return;
    await this.server.check();
    const positions = new CdcPositions((sql, values) => this.database.queryRows(sql, values));
    if (!(await positions.find()))
      await positions.begin(await this.server.end(), await this.server.id());
    this.health.add('cdc', () => {
      const fault = this.fault ?? this.settings.fault;
      return fault === undefined ? Promise.resolve() : Promise.reject(new Error(fault));
    });
    this.running = this.run();
  }

  async onModuleDestroy(): Promise<void> {
    this.stopping.abort();
    await withTimeout(STOP_TIMEOUT_MS, this.running).catch(() =>
      this.logger.warn('The log does not answer: the last changes will be published again'),
    );
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      let lock: RelayLock | undefined;
      try {
        lock = await RelayLock.connect(this.environment.MYSQL_URL);
        if (await this.awaitTurn(lock)) await this.capture(lock);
      } catch (error) {
        this.onFault(this.server.explain(error as Error));
      } finally {
        relayCapturing.set(0);
        lock?.release();
      }
      await pause(RETRY_PAUSE_MS, signal);
    }
  }

  /** @returns false when the program stops before the lock is free */
  private async awaitTurn(lock: RelayLock): Promise<boolean> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      if (await lock.claim()) return true;
      // Another instance captures: this one is ready to take over.
      this.fault = undefined;
      await pause(STANDBY_PAUSE_MS, signal);
    }
    return false;
  }

  private async capture(lock: RelayLock): Promise<void> {
    await this.provisioner.ensure(binlogTopic);
    const serverId = await this.server.id();
    const from = (await lock.positions.find()) ?? { ...(await this.server.end()), serverId };
    if (from.serverId !== null && from.serverId !== serverId)
      return this.skip(lock, from, `it belongs to server ${from.serverId}, this is ${serverId}`);
    const session = new RelaySession({
      url: this.environment.MYSQL_URL,
      database: await this.database.schema(),
      tables: this.tables,
      serverId,
      from,
      lock,
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
      await this.skip(lock, from, (error as Error).message);
    }
  }

  private isBeyondRetry(error: Error & { errno?: number }, from: BinlogPosition): boolean {
    if (error.errno === UNREADABLE_POSITION) return !SAME_REPLICA.test(error.message);
    if (!(error instanceof UndecodableEventError)) return false;
    const at = `${from.file}:${from.offset}`;
    this.stuck = { at, attempts: this.stuck.at === at ? this.stuck.attempts + 1 : 1 };
    return this.stuck.attempts >= ATTEMPTS;
  }

  /** Goes on at the binlog's end, and only then reports the gap, so that reloads miss nothing. */
  private async skip(lock: RelayLock, from: BinlogPosition, cause: string): Promise<void> {
    const end = await this.server.end();
    await lock.positions.save(end, await this.server.id());
    const reason = `the binlog cannot be read from ${from.file}:${from.offset} (${cause})`;
    this.logger.error(
      `Changes are missing: ${reason}. Capture continues at ${end.file}:${end.offset}. Boards and cached counters are reloaded from the database; \`npm run cli -- verify\` lists what else differs.`,
    );
    relayGaps.inc();
    this.gaps.report(reason);
  }

  private onFault(error: Error): void {
    const message = error.message || error.name;
    if (this.fault !== message) this.logger.warn(`Change capture is interrupted: ${message}`);
    this.fault = message;
  }
}
