import { Logger } from '@nestjs/common';
import type { EventLog } from '../messaging';
import type { BinlogPosition } from './binlog-position';
import { BinlogStream } from './binlog-stream';
import { binlogTopic } from './binlog.topic';
import { RelayOutbox } from './relay-outbox';
import type { RelaySeat } from './relay-seat';
import { relayLag, relayRows } from './relay.metrics';

/** Milliseconds between two saves of the position; a crash sends what came since once more. */
const SAVE_INTERVAL = 500;
/** Milliseconds between two looks at the lock. */
const CONFIRM_INTERVAL = 5_000;
/** Rows that may wait for the log before the server is held back, and at which it goes on. */
const HOLD_BACK = 20_000;
const GO_ON = 5_000;
/** Bytes of other tables' changes after which the position is saved too, lest the binlog be purged. */
const IDLE_BYTES = 16_000_000;

export interface RelaySessionOptions {
  readonly url: string;
  readonly database: string;
  readonly serverId: number;
  readonly from: BinlogPosition;
  readonly seat: RelaySeat;
  readonly log: EventLog;
  readonly stopping: AbortSignal;
  /** The server sends from `from` on. */
  onOpen(): void;
}

/**
 * One connected run of the relay: publishes what the binlog brings as soon as the log has taken what
 * came before, so that messages grow with the load and a lone change waits for nothing. The position
 * is saved behind what the log has taken.
 */
export class RelaySession {
  private readonly logger = new Logger('Relay');
  private readonly outbox = new RelayOutbox(binlogTopic.partitions);
  private readonly stream: BinlogStream;
  private fault: Error | undefined;
  private wake: () => void = () => undefined;
  private saved: BinlogPosition;
  private savedAt = 0;
  private confirmedAt = performance.now();
  /** What the log has taken goes up to here, but is not saved yet. */
  private taken: BinlogPosition | undefined;
  private takenRows = 0;
  /** The statement that runs on the seat's connection. */
  private upkeep: Promise<void> | undefined;

  constructor(private readonly options: RelaySessionOptions) {
    this.saved = options.from;
    this.stream = new BinlogStream({
      url: options.url,
      database: options.database,
      serverId: options.serverId,
      from: options.from,
      onOpen: options.onOpen,
      onRows: (event) => {
        this.outbox.add(event);
        if (this.outbox.rows >= HOLD_BACK) this.stream.pause();
        this.wake();
      },
      onBoundary: (position) => {
        this.outbox.mark(position);
        this.wake();
      },
      onError: (error) => this.fail(error),
    });
  }

  /** Ends when the program stops. @throws what broke the session */
  async run(): Promise<void> {
    const { seat, stopping } = this.options;
    const onStop = (): void => this.wake();
    stopping.addEventListener('abort', onStop);
    seat.onLost((error) => this.fail(error));
    this.stream.start();
    try {
      while (!stopping.aborted) {
        // Made before anything is awaited: what comes meanwhile must not go unnoticed.
        const woken = new Promise<void>((resolve) => (this.wake = resolve));
        const moved = await this.publish();
        if (this.fault) throw this.fault;
        if (this.outbox.rows < GO_ON) this.stream.resume();
        this.keepUp();
        if (moved || stopping.aborted) continue;
        const timer = setTimeout(this.wake, SAVE_INTERVAL);
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

  /** One append of all that waits. @returns whether there was something */
  private async publish(): Promise<boolean> {
    const { messages, rows, oldestAt, resumeAt } = this.outbox.take();
    if (oldestAt !== undefined) {
      await this.options.log.append(binlogTopic.name, binlogTopic.acks, messages);
      relayRows.inc(rows);
      relayLag.set(Math.max(0, (Date.now() - oldestAt) / 1_000));
      this.takenRows += rows;
    }
    if (resumeAt) this.taken = resumeAt;
    return oldestAt !== undefined || resumeAt !== undefined;
  }

  /** Saves the position and confirms the lock when it is time, beside the publishing. */
  private keepUp(): void {
    if (this.upkeep) return;
    const now = performance.now();
    let work: Promise<void> | undefined;
    if (now - this.savedAt >= SAVE_INTERVAL && this.isWorthSaving) work = this.save();
    else if (now - this.confirmedAt >= CONFIRM_INTERVAL) work = this.confirm();
    this.upkeep = work
      ?.catch((error: unknown) => this.fail(error as Error))
      .finally(() => (this.upkeep = undefined));
  }

  /** A save writes to the binlog itself: saving whenever it moves would never come to rest. */
  private get isWorthSaving(): boolean {
    const { taken, saved } = this;
    return (
      taken !== undefined &&
      (this.takenRows > 0 || taken.file !== saved.file || taken.offset - saved.offset > IDLE_BYTES)
    );
  }

  private async save(): Promise<void> {
    const { taken } = this;
    if (!taken) return;
    this.taken = undefined;
    this.takenRows = 0;
    this.savedAt = performance.now();
    await this.options.seat.positions.save(taken, this.options.serverId);
    this.saved = taken;
  }

  private async confirm(): Promise<void> {
    await this.options.seat.confirm();
    this.confirmedAt = performance.now();
  }

  private async saveLast(): Promise<void> {
    try {
      await this.save();
    } catch (error) {
      this.logger.warn(`The position could not be saved, so some is sent again: ${String(error)}`);
    }
  }
}
