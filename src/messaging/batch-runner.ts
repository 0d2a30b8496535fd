import { isTransient } from '../platform/errors';
import { backoff } from './backoff';
import { BadMessageError } from './bad-message.error';
import type { RawMessage } from './event-log';
import type { Message } from './message';
import { pause } from './pause';

export interface BatchRunnerOptions<Payload> {
  decode(value: Buffer): Payload;
  handle(messages: readonly Message<Payload>[]): Promise<void>;
  /** Puts a message that cannot be handled aside; resolves once the log holds it. */
  bury(message: RawMessage, reason: string): Promise<void>;
  onRetry(error: unknown, attempt: number): void;
  /** Milliseconds before attempt `attempt` + 1; from 1 on. */
  backoff?(attempt: number): number;
}

/** How often a message that fails alone is tried before it is buried. */
const ATTEMPTS = 3;

/**
 * Brings a batch to its end whatever happens: bad bytes are buried at once; while a dependency is
 * away the batch waits and is tried again; a batch that fails for another reason is halved until
 * the failing message stands alone, and only that one is buried.
 */
export class BatchRunner<Payload> {
  private readonly backoff: (attempt: number) => number;

  constructor(private readonly options: BatchRunnerOptions<Payload>) {
    this.backoff = options.backoff ?? backoff;
  }

  /** @throws the signal's reason when it is stopped while it waits for a dependency */
  async run(messages: readonly RawMessage[], stopping: AbortSignal): Promise<void> {
    let good = new Decoded<Payload>();
    const handleGood = async (): Promise<void> => {
      if (good.messages.length > 0) await this.handle(good, stopping);
      good = new Decoded();
    };
    for (const raw of messages) {
      const message = this.decode(raw);
      if (message instanceof BadMessageError) {
        // In the log's order: what is put aside counts as passed, and so does all before it.
        await handleGood();
        await this.bury(raw, message.message, stopping);
        continue;
      }
      good.messages.push(message);
      good.raw.push(raw);
    }
    await handleGood();
  }

  private decode(raw: RawMessage): Message<Payload> | BadMessageError {
    try {
      const { key, partition, offset, timestamp } = raw;
      return { key, value: this.options.decode(raw.value), partition, offset, timestamp };
    } catch (error) {
      // It looks at nothing but the bytes: whatever it throws is their fault.
      return error instanceof BadMessageError ? error : new BadMessageError(reasonOf(error));
    }
  }

  private async handle(batch: Decoded<Payload>, stopping: AbortSignal): Promise<void> {
    const { messages, raw } = batch;
    const attempts = messages.length === 1 ? ATTEMPTS : 1;
    const error = await this.attempt(messages, attempts, stopping);
    if (error === undefined) return;
    if (messages.length === 1) {
      await this.bury(raw[0]!, reasonOf(error), stopping);
      return;
    }
    const middle = messages.length >> 1;
    await this.handle(batch.slice(0, middle), stopping);
    await this.handle(batch.slice(middle), stopping);
  }

  /** Gives the error that is the messages' own fault, or undefined when they were handled. */
  private async attempt(
    messages: readonly Message<Payload>[],
    attempts: number,
    stopping: AbortSignal,
  ): Promise<unknown> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.patiently(stopping, () => this.options.handle(messages));
        return undefined;
      } catch (error) {
        if (stopping.aborted && error === stopping.reason) throw error;
        if (attempt === attempts) return error ?? new Error('unknown failure');
        await this.beforeNext(error, attempt, stopping);
      }
    }
  }

  /** Tries again whatever happens: that it cannot be put aside is never the message's fault. */
  private bury(raw: RawMessage, reason: string, stopping: AbortSignal): Promise<void> {
    return this.patiently(
      stopping,
      () => this.options.bury(raw, reason),
      () => true,
    );
  }

  /** Tries again for as long as a dependency is away. */
  private async patiently(
    stopping: AbortSignal,
    work: () => Promise<void>,
    isWorthRetrying = isTransient,
  ): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work();
      } catch (error) {
        if (!isWorthRetrying(error)) throw error;
        await this.beforeNext(error, attempt, stopping);
      }
    }
  }

  private async beforeNext(error: unknown, attempt: number, stopping: AbortSignal): Promise<void> {
    this.options.onRetry(error, attempt);
    await pause(this.backoff(attempt), stopping);
    stopping.throwIfAborted();
  }
}

/** Messages, and beside each what it was decoded from. */
class Decoded<Payload> {
  constructor(
    readonly messages: Message<Payload>[] = [],
    readonly raw: RawMessage[] = [],
  ) {}

  slice(from: number, to?: number): Decoded<Payload> {
    return new Decoded(this.messages.slice(from, to), this.raw.slice(from, to));
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
