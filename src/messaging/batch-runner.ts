import { isTransient } from '../platform/errors';
import { pause } from '../platform/timing';
import { backoff } from './backoff';
import { BadMessageError } from './bad-message.error';
import type { RawMessage } from './event-log';
import type { Message } from './message';

export interface BatchRunnerOptions<Payload> {
  decode(value: Buffer): Payload;
  handle(messages: readonly Message<Payload>[]): Promise<void>;
  /** Moves a message that cannot be handled to the dead letters; resolves once the log holds it. */
  bury(message: RawMessage, reason: string): Promise<void>;
  onRetry(error: unknown, attempt: number): void;
  /** Milliseconds to wait between attempt `attempt` (from 1) and the next one. */
  backoff?(attempt: number): number;
}

/** A message that fails alone this many times is buried. */
const MAX_ATTEMPTS = 3;

/**
 * Handles every message of a batch, whatever fails. Bad bytes are buried (moved to the dead
 * letters) at once. While a dependency is away, the batch waits and is tried again. A batch that
 * fails for another reason is halved until the failing message is alone, and only that message is
 * buried.
 */
export class BatchRunner<Payload> {
  private readonly backoff: (attempt: number) => number;

  constructor(private readonly options: BatchRunnerOptions<Payload>) {
    this.backoff = options.backoff ?? backoff;
  }

  /** @throws the signal's reason when `stopping` is aborted while it waits for a dependency */
  async run(messages: readonly RawMessage[], stopping: AbortSignal): Promise<void> {
    let good = new Decoded<Payload>();
    const handleGood = async (): Promise<void> => {
      if (good.messages.length > 0) await this.handle(good, stopping);
      good = new Decoded();
    };
    for (const raw of messages) {
      const message = this.decode(raw);
      if (message instanceof BadMessageError) {
        // In the log's order: burying a message marks all messages before it as handled too.
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
      // Decoding depends on the bytes only, so they cause every error that it throws.
      return error instanceof BadMessageError ? error : new BadMessageError(reasonOf(error));
    }
  }

  private async handle(batch: Decoded<Payload>, stopping: AbortSignal): Promise<void> {
    const { messages, raw } = batch;
    const attempts = messages.length === 1 ? MAX_ATTEMPTS : 1;
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

  /** @returns the error that the messages themselves cause, or undefined when they were handled */
  private async attempt(
    messages: readonly Message<Payload>[],
    attempts: number,
    stopping: AbortSignal,
  ): Promise<unknown> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.retryWhile(stopping, isTransient, () => this.options.handle(messages));
        return undefined;
      } catch (error) {
        if (stopping.aborted && error === stopping.reason) throw error;
        if (attempt === attempts) return error ?? new Error('unknown failure');
        await this.waitForNext(error, attempt, stopping);
      }
    }
  }

  /** Tries again after any error: the message never causes a failure to bury it. */
  private bury(raw: RawMessage, reason: string, stopping: AbortSignal): Promise<void> {
    return this.retryWhile(
      stopping,
      () => true,
      () => this.options.bury(raw, reason),
    );
  }

  /** Tries again, without a limit, after each error for which `isPassing` is true. */
  private async retryWhile(
    stopping: AbortSignal,
    isPassing: (error: unknown) => boolean,
    work: () => Promise<void>,
  ): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work();
      } catch (error) {
        if (!isPassing(error)) throw error;
        await this.waitForNext(error, attempt, stopping);
      }
    }
  }

  private async waitForNext(error: unknown, attempt: number, stopping: AbortSignal): Promise<void> {
    this.options.onRetry(error, attempt);
    await pause(this.backoff(attempt), stopping);
    stopping.throwIfAborted();
  }
}

/** Decoded messages, each beside the raw message that it was decoded from. */
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
