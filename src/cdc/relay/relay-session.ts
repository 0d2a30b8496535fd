import { Logger } from '@nestjs/common';
import type { EventLog } from '../../messaging';
import type { BinlogPosition } from '../binlog/binlog-position';
import { BinlogStream } from '../binlog/binlog-stream';
import { binlogTopic } from '../binlog.topic';
import type { CapturedTables } from '../captured-tables';
import { RelayBuffer } from './relay-buffer';
import type { RelayLock } from './relay-lock';
import { relayLag, relayRewrites, relayRows } from './relay.metrics';

/** Between two saves of the position: a crash publishes the changes since the last one again. */
const SAVE_INTERVAL_MS = 500;
const CONFIRM_INTERVAL_MS = 5_000;
/** Buffered rows at which the binlog is no longer read, and below which it is again. */
const PAUSE_AT_ROWS = 20_000;
const RESUME_BELOW_ROWS = 5_000;
/**
 * Binlog of other tables and of heartbeats after which the position is saved too: its files may be
 * purged later, and after a crash it is read again.
 */
const SAVE_AFTER_BYTES = 100_000;

export interface RelaySessionOptions {
  readonly url: string;
  readonly database: string;
  readonly tables: CapturedTables;
  readonly serverId: number;
  readonly from: BinlogPosition;
  readonly lock: RelayLock;
  readonly log: EventLog;
  readonly stopping: AbortSignal;
  /** Called when the server has begun to send, from `from` on. */
  onOpen(): void;
}

/**
 * One connected run of the relay. It publishes captured rows as soon as the log has taken those
 * before, so that messages grow with the load and a single change waits for nothing. The position
 * that is saved is never ahead of what the log has taken.
 */
export class RelaySession {
  private readonly logger = new Logger('Relay');
  private readonly buffer: RelayBuffer;
  private readonly stream: BinlogStream;
  private fault: Error | undefined;
  private wake: () => void = () => undefined;
  private saved: BinlogPosition;
  private savedAt = 0;
  private confirmedAt = performance.now();
  /** The log has taken everything before this position, which is not saved yet. */
  private taken: BinlogPosition | undefined;
  private takenRows = 0;
  /** The statement that runs on the lock's connection. */
  private upkeep: Promise<void> | undefined;

  constructor(private readonly options: RelaySessionOptions) {
    const { url, database, tables, serverId, from, onOpen } = options;
    this.saved = from;
    this.buffer = new RelayBuffer(binlogTopic.partitions, tables);
    this.stream = new BinlogStream({
      url,
      database,
      tables: tables.names,
      serverId,
      from,
      onOpen,
      onRows: (event) => {
        this.buffer.add(event);
        if (event.kind === 'rewrite') relayRewrites.inc();
        if (this.buffer.rows >= PAUSE_AT_ROWS) this.stream.pause();
        this.wake();
      },
      onBoundary: (position) => {
        this.buffer.mark(position);
        this.wake();
      },
      onError: (error) => this.fail(error),
    });
  }

  /** Ends when the program stops. @throws the error that ended the session */
  async run(): Promise<void> {
    const { lock, stopping } = this.options;
    const onStop = (): void => this.wake();
    stopping.addEventListener('abort', onStop);
    lock.onLost((error) => this.fail(error));
    this.stream.start();
    try {
      while (!stopping.aborted) {
        // Created before anything is awaited, so that nothing that arrives meanwhile is missed.
        const woken = new Promise<void>((resolve) => (this.wake = resolve));
        const moved = await this.publish();
        if (this.fault) throw this.fault;
        if (this.buffer.rows < RESUME_BELOW_ROWS) this.stream.resume();
        this.keepUp();
        if (moved || stopping.aborted) continue;
        const timer = setTimeout(this.wake, SAVE_INTERVAL_MS);
        await woken;
        clearTimeout(timer);
      }
    } finally {
      stopping.removeEventListener('abort', onStop);
      this.stream.stop();
      await this.upkeep;
      await this.saveLast();
    }
  }

  private fail(error: Error): void {
    this.fault ??= error;
    this.wake();
  }

  /** Appends everything that is buffered. @returns whether there was anything */
  private async publish(): Promise<boolean> {
    const { messages, rows, oldestAt, resumeAt } = this.buffer.take();
    if (oldestAt !== undefined) {
      await this.options.log.append(binlogTopic.name, binlogTopic.acks, messages);
      relayRows.inc(rows);
      relayLag.set(Math.max(0, (Date.now() - oldestAt) / 1_000));
      this.takenRows += rows;
    }
    if (resumeAt) this.taken = resumeAt;
    return oldestAt !== undefined || resumeAt !== undefined;
  }

  /** Saves the position or confirms the lock when one of them is due, while publishing goes on. */
  private keepUp(): void {
    if (this.upkeep) return;
    const now = performance.now();
    let work: Promise<void> | undefined;
    if (now - this.savedAt >= SAVE_INTERVAL_MS && this.isWorthSaving) work = this.save();
    else if (now - this.confirmedAt >= CONFIRM_INTERVAL_MS) work = this.confirm();
    this.upkeep = work
      ?.catch((error: unknown) => this.fail(error as Error))
      .finally(() => (this.upkeep = undefined));
  }

  /** A save writes to the binlog itself, so saving after every move would never end. */
  private get isWorthSaving(): boolean {
    const { taken, saved } = this;
    return (
      taken !== undefined &&
      (this.takenRows > 0 ||
        taken.file !== saved.file ||
        taken.offset - saved.offset > SAVE_AFTER_BYTES)
    );
  }

  private async save(): Promise<void> {
    const { taken } = this;
    if (!taken) return;
    this.taken = undefined;
    this.takenRows = 0;
    this.savedAt = performance.now();
    await this.options.lock.positions.save(taken, this.options.serverId);
    this.saved = taken;
  }

  private async confirm(): Promise<void> {
    await this.options.lock.confirm();
    this.confirmedAt = performance.now();
  }

  private async saveLast(): Promise<void> {
    try {
      await this.save();
    } catch (error) {
      this.logger.warn(
        `The position could not be saved, so some changes will be published again: ${String(error)}`,
      );
    }
  }
}
