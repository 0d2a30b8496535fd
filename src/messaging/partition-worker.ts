import { Logger } from '@nestjs/common';
import { pause } from '../platform/timing';
import { backoff } from './backoff';
import type { RawMessage } from './event-log';

/**
 * A batch takes no further message once it has this many bytes. The number of messages limits
 * batches of small ones, this limits batches of large ones: a whole batch is decoded and in memory.
 */
const BATCH_BYTES = 500_000;

export interface PartitionWorkerOptions {
  size: number;
  lingerMs: number;
  /** @param following the messages that are queued behind these */
  handle(
    messages: readonly RawMessage[],
    stopping: AbortSignal,
    following: () => readonly RawMessage[],
  ): Promise<void>;
  /** Called with the offset after what is handled. @returns whether the log accepted it */
  commit(nextOffset: number): Promise<boolean>;
  /** Nothing is done before this resolves: the partition's previous worker must have ended. */
  after?: Promise<void>;
  /** Must succeed before the first message is handled. */
  start?(stopping: AbortSignal): Promise<void>;
  /** Milliseconds to wait between attempt `attempt` (from 1) and the next one. */
  backoff?(attempt: number): number;
}

/**
 * Handles one partition in order. Collects fetched messages into batches of `size` messages or 500
 * KB, waiting at most `lingerMs` for more; hands over one batch at a time and commits after each.
 */
export class PartitionWorker {
  private readonly logger = new Logger('Messaging');
  private queue: RawMessage[] = [];
  private queuedBytes = 0;
  /** The offset after everything that was pushed or passed over, and after what is handled of it. */
  private fetchedTo = 0;
  private handledTo = 0;
  private readonly abort = new AbortController();
  private wakeUp: (() => void) | undefined;
  private readonly waitingForRoom: (() => void)[] = [];
  private readonly backoff: (attempt: number) => number;
  private readonly ended: Promise<void>;

  constructor(private readonly options: PartitionWorkerOptions) {
    this.backoff = options.backoff ?? backoff;
    this.ended = this.run();
  }

  /** Whether so many messages wait that `push` makes the fetcher wait. */
  get isFull(): boolean {
    return this.holds(2);
  }

  /** Queues messages in their order; resolves when there is room for more. */
  push(messages: readonly RawMessage[]): Promise<void> {
    if (this.abort.signal.aborted) return Promise.resolve();
    for (const message of messages) {
      this.queue.push(message);
      this.queuedBytes += message.value.length;
    }
    const last = messages.at(-1);
    if (last) this.passOver(last.offset + 1);
    return this.room();
  }

  /** What lies before this offset and was not pushed is no message: it needs only to be committed. */
  passOver(nextOffset: number): void {
    this.fetchedTo = Math.max(this.fetchedTo, nextOffset);
    this.wakeUp?.();
  }

  /** Resolves when there is room for more messages, possibly at once. */
  room(): Promise<void> {
    if (!this.isFull || this.abort.signal.aborted) return Promise.resolve();
    return new Promise((resolve) => this.waitingForRoom.push(resolve));
  }

  /** Drops the queued messages, lets the running batch end, and commits it. */
  stop(): Promise<void> {
    this.abort.abort();
    this.queue = [];
    this.queuedBytes = 0;
    this.wakeUp?.();
    this.releaseRoom();
    return this.ended;
  }

  private async run(): Promise<void> {
    const { lingerMs, handle, start } = this.options;
    const { signal } = this.abort;
    await this.options.after;
    if (start && !(await this.untilDone(() => start(signal)))) return;
    const following = (): readonly RawMessage[] => this.queue;
    for (;;) {
      while (this.handledTo === this.fetchedTo && !signal.aborted) await this.nextPush();
      if (this.queue.length > 0) await this.linger(lingerMs);
      if (signal.aborted) return;
      const batch = this.take();
      this.releaseRoom();
      const last = batch.at(-1);
      if (last && !(await this.untilDone(() => handle(batch, signal, following)))) return;
      // A stop drops the queue: what was passed over may then follow messages that are not handled.
      const isAll = this.queue.length === 0 && !this.abort.signal.aborted;
      this.handledTo = last && !isAll ? last.offset + 1 : this.fetchedTo;
      await this.commit(this.handledTo);
    }
  }

  /**
   * Commits until the log accepts it, or until the next batch is there, whose commit covers both.
   * Without the repetition, a group that has handled everything would show a lag until the next
   * message.
   */
  private async commit(nextOffset: number): Promise<void> {
    for (let attempt = 1; !(await this.options.commit(nextOffset)); attempt++) {
      if (this.queue.length === 0 && !this.abort.signal.aborted)
        await this.nextPush(this.backoff(attempt));
      if (this.queue.length > 0 || this.abort.signal.aborted) return;
    }
  }

  /** Whether at least this many whole batches are queued. */
  private holds(batches: number): boolean {
    return (
      this.queue.length >= batches * this.options.size || this.queuedBytes >= batches * BATCH_BYTES
    );
  }

  /** Removes the next batch from the queue. */
  private take(): RawMessage[] {
    const limit = Math.min(this.queue.length, this.options.size);
    let count = 0;
    let bytes = 0;
    while (count < limit && bytes < BATCH_BYTES) bytes += this.queue[count++]!.value.length;
    this.queuedBytes -= bytes;
    return this.queue.splice(0, count);
  }

  /**
   * Tries until it succeeds, with a log line for each failure: a partition must never stop
   * silently.
   * @returns false when stopped before that; the messages then stay uncommitted and are delivered
   * again
   */
  private async untilDone(work: () => Promise<void>): Promise<boolean> {
    const { signal } = this.abort;
    for (let attempt = 1; !signal.aborted; attempt++) {
      try {
        await work();
        return true;
      } catch (error) {
        if (signal.aborted) return false;
        this.logger.error(`A batch failed at attempt ${attempt}, retrying: ${String(error)}`);
        await pause(this.backoff(attempt), signal);
      }
    }
    return false;
  }

  /** Waits for the next push or the stop, at most this many milliseconds. */
  private nextPush(milliseconds?: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.wakeUp = undefined;
        resolve();
      };
      const timer = milliseconds === undefined ? undefined : setTimeout(done, milliseconds);
      this.wakeUp = done;
    });
  }

  private async linger(milliseconds: number): Promise<void> {
    const end = performance.now() + milliseconds;
    while (!this.holds(1) && !this.abort.signal.aborted) {
      const left = end - performance.now();
      if (left <= 0) return;
      await this.nextPush(left);
    }
  }

  private releaseRoom(): void {
    if (this.isFull) return;
    for (const resolve of this.waitingForRoom.splice(0)) resolve();
  }
}
