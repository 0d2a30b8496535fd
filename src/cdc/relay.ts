import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { type Connection, createConnection } from 'mysql2/promise';
import { Counter, Gauge } from 'prom-client';
import { EventLog, TopicProvisioner } from '../messaging';
import { Environment } from '../platform/config';
import { HealthRegistry } from '../platform/health';
import { binlogTopic } from './binlog.topic';
import type { BinlogPosition } from './binlog-position';
import { BinlogStream } from './binlog-stream';
import { CaptureGaps } from './capture-gaps';
import { RelayOutbox } from './relay-outbox';
import { BinlogUnavailableError, RelayRepository } from './relay.repository';

/** Milliseconds between two saves of the position; a crash sends what came since once more. */
const SAVE_INTERVAL = 500;
/** Rows that may wait for the log before the server is held back. */
const HOLD_BACK = 20_000;
const GO_ON = 5_000;
const RETRY = 500;
const LOCK_POLL = 1_000;
/** Bytes of other tables' changes after which the position is saved too, lest the binlog be purged. */
const IDLE_BYTES = 16_000_000;
/** "Could not find first log file" and its like: the position is not in the binlog any more. */
const PURGED = 1236;

/**
 * Change capture without Canal: reads the binlog as a replica does and publishes the captured rows
 * in Canal's own form. One instance at a time, held by a lock of MySQL's; the position is saved
 * behind what the log has taken, so nothing is lost and after a crash little is sent twice.
 */
@Injectable()
export class Relay implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger('Relay');
  private readonly stopping = new AbortController();
  private running: Promise<void> = Promise.resolve();
  private fault: string | undefined;
  private savedAt = 0;
  private saved: BinlogPosition | undefined;
  private readonly rows = new Counter({
    name: 'webook_relay_rows_total',
    help: 'Rows that the relay has captured and published',
  });
  private readonly delay = new Gauge({
    name: 'webook_relay_delay_seconds',
    help: 'From the commit of the last published change to its publication (one-second resolution)',
  });

  constructor(
    private readonly environment: Environment,
    private readonly repository: RelayRepository,
    private readonly log: EventLog,
    private readonly provisioner: TopicProvisioner,
    private readonly gaps: CaptureGaps,
    private readonly health: HealthRegistry,
  ) {}

  private get isEnabled(): boolean {
    return this.environment.CDC_ENGINE === 'relay' && this.environment.ROLE !== 'api';
  }

  /** Fixes the first position before anything loads from the tables, so that no change lies between. */
  async onModuleInit(): Promise<void> {
    if (!this.isEnabled) return;
    await this.repository.checkFormat();
    if (!(await this.repository.position()))
      await this.repository.begin(await this.repository.end());
    this.health.add('cdc', () =>
      this.fault === undefined ? Promise.resolve() : Promise.reject(new Error(this.fault)),
    );
    this.running = this.run();
  }

  async onApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private async run(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      let lock: Connection | undefined;
      try {
        lock = await this.lock();
        if (lock) await this.relay(lock);
      } catch (error) {
        await this.onFault(error as Error & { errno?: number });
      } finally {
        lock?.destroy();
      }
      if (!this.stopping.signal.aborted) await this.pause(RETRY);
    }
  }

  private async onFault(error: Error & { errno?: number }): Promise<void> {
    if (error.errno === PURGED) {
      try {
        const from = await this.repository.position();
        const end = await this.repository.end();
        await this.repository.save(end);
        const reason = `the binlog no longer holds ${from?.file}:${from?.offset} (${error.message})`;
        this.logger.error(`${reason}: going on at ${end.file}:${end.offset}, derived data reloads`);
        this.gaps.gaps$.next({ reason });
        return;
      } catch (inner) {
        error = inner as Error;
      }
    }
    const { message } = error;
    if (this.fault !== message) this.logger.warn(`Change capture is interrupted: ${message}`);
    this.fault = error instanceof BinlogUnavailableError ? message : message || error.name;
  }

  /** Waits to be the one relay; undefined when the program stops meanwhile. */
  private async lock(): Promise<Connection | undefined> {
    const connection = await createConnection({
      uri: this.environment.MYSQL_URL,
      connectTimeout: 3_000,
      enableKeepAlive: true,
    });
    connection.on('error', () => undefined);
    try {
      const name = `webook.relay.${new URL(this.environment.MYSQL_URL).pathname.slice(1)}`;
      while (!this.stopping.signal.aborted) {
        const [rows] = await connection.query('SELECT GET_LOCK(?, 0) AS locked', [
          name.slice(0, 64),
        ]);
        if ((rows as { locked: number }[])[0]?.locked === 1) return connection;
        this.fault = undefined;
        await this.pause(LOCK_POLL);
      }
    } catch (error) {
      connection.destroy();
      throw error;
    }
    connection.destroy();
    return undefined;
  }

  /** Publishes from the saved position on, until the program stops or something breaks. */
  private async relay(lock: Connection): Promise<void> {
    await this.provisioner.ensure(binlogTopic);
    const from = (await this.repository.position()) ?? (await this.repository.end());
    const serverId = await this.repository.serverId();
    const { database, tables } = await this.repository.capturedTables();
    const outbox = new RelayOutbox(binlogTopic.partitions);
    this.saved = from;
    let wake: () => void = () => undefined;
    let broken: Error | undefined;
    const fail = (error: Error): void => {
      broken ??= error;
      wake();
    };
    const stream = new BinlogStream({
      url: this.environment.MYSQL_URL,
      serverId,
      database,
      tables,
      from,
      onRows: (event) => {
        outbox.add(event);
        if (outbox.rows >= HOLD_BACK) stream.pause();
        wake();
      },
      onBoundary: (position) => {
        outbox.mark(position);
        wake();
      },
      onError: fail,
    });
    lock.on('end', () => fail(new Error('MySQL ended the connection that holds the relay’s lock')));
    const onStop = (): void => wake();
    this.stopping.signal.addEventListener('abort', onStop);
    stream.start();
    this.logger.log(`Capturing from ${from.file}:${from.offset}`);
    this.fault = undefined;
    try {
      while (!broken && !this.stopping.signal.aborted) {
        const woken = new Promise<void>((resolve) => (wake = resolve));
        const moved = await this.publish(outbox);
        if (outbox.rows < GO_ON) stream.resume();
        if (!moved && !broken && !this.stopping.signal.aborted) await woken;
      }
      if (broken) throw broken;
    } finally {
      this.stopping.signal.removeEventListener('abort', onStop);
      stream.stop();
      await this.savePending();
    }
  }

  private pending: BinlogPosition | undefined;
  private pendingRows = 0;

  /** One append of all that waits; true when there was something. */
  private async publish(outbox: RelayOutbox): Promise<boolean> {
    const { messages, rows, resumeAt } = outbox.take();
    if (rows > 0) {
      await this.log.append(binlogTopic.name, binlogTopic.acks, messages);
      this.rows.inc(rows);
      this.pendingRows += rows;
    }
    if (resumeAt) {
      this.pending = resumeAt;
      if (this.isWorthSaving(resumeAt) && Date.now() - this.savedAt >= SAVE_INTERVAL)
        await this.savePending();
    }
    return rows > 0 || resumeAt !== undefined;
  }

  /** A save writes to the binlog itself: saving whenever it moves would never come to rest. */
  private isWorthSaving(position: BinlogPosition): boolean {
    return (
      this.pendingRows > 0 ||
      position.file !== this.saved?.file ||
      position.offset - this.saved.offset > IDLE_BYTES
    );
  }

  private async savePending(): Promise<void> {
    const { pending } = this;
    if (!pending) return;
    this.pending = undefined;
    this.pendingRows = 0;
    try {
      await this.repository.save(pending);
      this.saved = pending;
      this.savedAt = Date.now();
    } catch (error) {
      this.logger.warn(`The position could not be saved, so some is sent again: ${String(error)}`);
    }
  }

  private pause(milliseconds: number): Promise<void> {
    const { signal } = this.stopping;
    return new Promise((resolve) => {
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
