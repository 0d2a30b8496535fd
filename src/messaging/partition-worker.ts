import { Logger } from '@nestjs/common';
import { backoff } from './backoff';
import type { RawMessage } from './event-log';
import { pause } from './pause';

export interface PartitionWorkerOptions {
  size: number;
  lingerMs: number;
  handle(messages: readonly RawMessage[], stopping: AbortSignal): Promise<void>;
  /** Called with the offset behind the last handled message. */
  commit(nextOffset: number): Promise<void>;
  /** What must have ended before anything is done: the partition's worker before this one. */
  after?: Promise<void>;
  /** Ends before the first message is handled. */
  start?(stopping: AbortSignal): Promise<void>;
  /** Milliseconds before attempt `attempt` + 1 of what has failed; from 1 on. */
  backoff?(attempt: number): number;
}

/**
 * Handles one partition in order: gathers what was fetched to `size` messages, waiting at most
 * `lingerMs` for more, hands them over one batch at a time and commits behind each.
 */
export class PartitionWorker {
  private readonly logger = new Logger('Messaging');
  private queue: RawMessage[] = [];
  private readonly abort = new AbortController();
  private wakeUp: (() => void) | undefined;
  private readonly waiting: (() => void)[] = [];
  private readonly ended: Promise<void>;

  constructor(private readonly options: PartitionWorkerOptions) {
    this.ended = this.run();
  }

  /** How many messages may wait before `push` holds the fetcher back. */
  private get limit(): number {
    return 2 * this.options.size;
  }

  get isFull(): boolean {
    return this.queue.length >= this.limit;
  }

  /** Takes messages in their order; resolves when there is room for more. */
  push(messages: readonly RawMessage[]): Promise<void> {
    if (this.abort.signal.aborted) return Promise.resolve();
    for (const message of messages) this.queue.push(message);
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
    this.wakeUp?.();
    this.releaseRoom();
    return this.ended;
  }

  private async run(): Promise<void> {
    const { size, lingerMs, handle, commit, start } = this.options;
    const { signal } = this.abort;
    await this.options.after;
    if (start && !(await this.insist(() => start(signal)))) return;
    for (;;) {
      if (this.queue.length === 0) await this.arrival();
      if (this.queue.length < size && lingerMs > 0 && !signal.aborted) await this.linger(lingerMs);
      if (signal.aborted) return;
      const batch = this.queue.length <= size ? this.queue : this.queue.slice(0, size);
      this.queue = this.queue.length <= size ? [] : this.queue.slice(size);
      this.releaseRoom();
      const last = batch.at(-1);
      if (!last) continue;
      if (!(await this.insist(() => handle(batch, signal)))) return;
      await commit(last.offset + 1);
    }
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
        await pause((this.options.backoff ?? backoff)(attempt), signal);
      }
    }
    return false;
  }

  private arrival(): Promise<void> {
    if (this.queue.length > 0 || this.abort.signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      this.wakeUp = () => {
        this.wakeUp = undefined;
        resolve();
      };
    });
  }

  private async linger(milliseconds: number): Promise<void> {
    const end = performance.now() + milliseconds;
    while (this.queue.length < this.options.size && !this.abort.signal.aborted) {
      const left = end - performance.now();
      if (left <= 0) return;
      await new Promise<void>((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          this.wakeUp = undefined;
          resolve();
        };
        const timer = setTimeout(done, left);
        this.wakeUp = done;
      });
    }
  }

  private releaseRoom(): void {
    if (this.isFull) return;
    for (const resolve of this.waiting.splice(0)) resolve();
  }
}
