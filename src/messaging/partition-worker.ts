import { Logger } from '@nestjs/common';
import { backoff } from './backoff';
import type { RawMessage } from './event-log';
import { pause } from './pause';

/**
 * Bytes of a batch, but for its last message: batches of small messages end at their size, those of
 * large ones here, since all of one is decoded in a go and held in memory.
 */
const BATCH_BYTES = 500_000;

export interface PartitionWorkerOptions {
  size: number;
  lingerMs: number;
  handle(messages: readonly RawMessage[], stopping: AbortSignal): Promise<void>;
  /** Called with the offset behind the last handled message. @returns whether the log has taken it */
  commit(nextOffset: number): Promise<boolean>;
  /** What must have ended before anything is done: the partition's worker before this one. */
  after?: Promise<void>;
  /** Ends before the first message is handled. */
  start?(stopping: AbortSignal): Promise<void>;
  /** Milliseconds before attempt `attempt` + 1 of what has failed; from 1 on. */
  backoff?(attempt: number): number;
}

/**
 * Handles one partition in order: gathers what was fetched to `size` messages or 500 KB, waiting at
 * most `lingerMs` for more, hands them over one batch at a time and commits behind each.
 */
export class PartitionWorker {
  private readonly logger = new Logger('Messaging');
  private queue: RawMessage[] = [];
  private queuedBytes = 0;
  private readonly abort = new AbortController();
  private wakeUp: (() => void) | undefined;
  private readonly waiting: (() => void)[] = [];
  private readonly backoff: (attempt: number) => number;
  private readonly ended: Promise<void>;

  constructor(private readonly options: PartitionWorkerOptions) {
    this.backoff = options.backoff ?? backoff;
    this.ended = this.run();
  }

  /** Whether so much waits that `push` holds the fetcher back. */
  get isFull(): boolean {
    return this.holds(2);
  }

  /** Takes messages in their order; resolves when there is room for more. */
  push(messages: readonly RawMessage[]): Promise<void> {
    if (this.abort.signal.aborted) return Promise.resolve();
    for (const message of messages) {
      this.queue.push(message);
      this.queuedBytes += message.value.length;
    }
    this.wakeUp?.();
    return this.room();
  }

  /** Resolves when there is room for more, at once when there is. */
  room(): Promise<void> {
    if (!this.isFull || this.abort.signal.aborted) return Promise.resolve();
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  /** Drops what waits, lets the running batch end, and commits it. */
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
    if (start && !(await this.insist(() => start(signal)))) return;
    for (;;) {
      while (this.queue.length === 0 && !signal.aborted) await this.nextPush();
      if (!this.holds(1) && lingerMs > 0 && !signal.aborted) await this.linger(lingerMs);
      if (signal.aborted) return;
      const batch = this.take();
      this.releaseRoom();
      const last = batch.at(-1);
      if (!last) continue;
      if (!(await this.insist(() => handle(batch, signal)))) return;
      await this.commit(last.offset + 1);
    }
  }

  /**
   * Commits until the log takes it or the next batch, whose commit is for both, is there: the group
   * would lag behind what it has handled for as long as nothing comes.
   */
  private async commit(nextOffset: number): Promise<void> {
    for (let attempt = 1; !(await this.options.commit(nextOffset)); attempt++) {
      if (this.queue.length === 0 && !this.abort.signal.aborted)
        await this.nextPush(this.backoff(attempt));
      if (this.queue.length > 0 || this.abort.signal.aborted) return;
    }
  }

  /** Whether so many whole batches wait. */
  private holds(batches: number): boolean {
    return (
      this.queue.length >= batches * this.options.size || this.queuedBytes >= batches * BATCH_BYTES
    );
  }

  /** The next batch. */
  private take(): RawMessage[] {
    const limit = Math.min(this.queue.length, this.options.size);
    let count = 0;
    let bytes = 0;
    while (count < limit && bytes < BATCH_BYTES) bytes += this.queue[count++]!.value.length;
    this.queuedBytes -= bytes;
    return this.queue.splice(0, count);
  }

  /**
   * Tries until it succeeds: a partition must never stand still unseen.
   * @returns false when it was stopped before; then what is not done stays uncommitted and comes again
   */
  private async insist(work: () => Promise<void>): Promise<boolean> {
    const { signal } = this.abort;
    for (let attempt = 1; !signal.aborted; attempt++) {
      try {
        await work();
        return true;
      } catch (error) {
        if (signal.aborted) return false;
        this.logger.error(
          `A batch failed and is tried again (attempt ${attempt}): ${String(error)}`,
        );
        await pause(this.backoff(attempt), signal);
      }
    }
    return false;
  }

  /** Waits until something is pushed, or the stop, or for so many milliseconds. */
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
    for (const resolve of this.waiting.splice(0)) resolve();
  }
}
