import { DomainError, isUnavailable } from '../platform/errors';
import { pause } from '../platform/timing';
import { backoff } from './backoff';
import { BadMessageError } from './bad-message.error';
import type { RawMessage } from './event-log';
import type { Message } from './message';

export interface BatchRunnerOptions<Payload> {
  decode(value: Buffer): Payload;
  handle(messages: readonly Message<Payload>[]): Promise<void>;
  /** Resolves when `handle` would succeed, without moving the group past the messages. */
  rehearse(messages: readonly Message<Payload>[]): Promise<void>;
  /** Moves a message that cannot be handled to the dead letters; resolves once the log holds it. */
  bury(message: RawMessage, reason: string): Promise<void>;
  /** @param first of the messages that wait for the next attempt */
  onRetry(error: unknown, attempt: number, first: RawMessage): void;
  /** Milliseconds to wait between attempt `attempt` (from 1) and the next one. */
  backoff?(attempt: number): number;
}

/** A message that fails alone this many times is buried, if others pass meanwhile. */
const MAX_ATTEMPTS = 3;
/** The same when there is no other message: after about 20 seconds. */
const MAX_LONELY_ATTEMPTS = 10;
/** Of the messages after a failing one, at most this many are tried at a time. */
const REHEARSALS = 8;

/**
 * Handles every message of a batch, whatever fails. A message is buried (moved to the dead letters)
 * only when it is at fault itself: its bytes are bad, or the handler says so with a
 * `BadMessageError` or another `DomainError` that is the caller's fault, or it alone fails again and
 * again while other messages pass. To find it, a batch that fails is halved. After an error of MySQL,
 * Redis or the log the batch waits and is tried again, without a limit; so does a message that fails
 * together with its neighbours, since then the handler is at fault.
 */
export class BatchRunner<Payload> {
  private readonly backoff: (attempt: number) => number;
  /** How many calls of the handler have succeeded, in all partitions. */
  private passes = 0;

  constructor(private readonly options: BatchRunnerOptions<Payload>) {
    this.backoff = options.backoff ?? backoff;
  }

  /**
   * @param following the messages after these that are known already
   * @throws the signal's reason when `stopping` is aborted while it waits
   */
  async run(
    messages: readonly RawMessage[],
    stopping: AbortSignal,
    following: () => readonly RawMessage[] = () => [],
  ): Promise<void> {
    const neighboursOf = ({ offset }: RawMessage): RawMessage[] =>
      [...messages, ...following()].filter((message) => message.offset > offset);
    let good = new Decoded<Payload>();
    const handleGood = async (): Promise<void> => {
      if (good.messages.length > 0) await this.handle(good, neighboursOf, stopping);
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

  private async handle(
    batch: Decoded<Payload>,
    neighboursOf: (message: RawMessage) => RawMessage[],
    stopping: AbortSignal,
  ): Promise<void> {
    const { messages, raw } = batch;
    const error = await this.attempt(batch, neighboursOf, stopping);
    if (error === undefined) return;
    if (messages.length === 1) {
      await this.bury(raw[0]!, reasonOf(error), stopping);
      return;
    }
    const middle = messages.length >> 1;
    await this.handle(batch.slice(0, middle), neighboursOf, stopping);
    await this.handle(batch.slice(middle), neighboursOf, stopping);
  }

  /** @returns the error that one of the messages itself causes, or undefined when they were handled */
  private async attempt(
    { messages, raw }: Decoded<Payload>,
    neighboursOf: (message: RawMessage) => RawMessage[],
    stopping: AbortSignal,
  ): Promise<unknown> {
    const first = raw[0]!;
    const passesBefore = this.passes;
    let failures = 0;
    for (let attempt = 1; ; attempt++) {
      try {
        await this.options.handle(messages);
        this.passes++;
        return undefined;
      } catch (error) {
        if (stopping.aborted && error === stopping.reason) throw error;
        if (isOwnFault(error)) return error;
        if (!isUnavailable(error)) {
          if (messages.length > 1) return error ?? new Error('unknown failure');
          failures++;
          const isAlone =
            failures >= MAX_ATTEMPTS &&
            (this.passes > passesBefore ||
              (await this.failsAlone(failures, neighboursOf(first), stopping)));
          if (isAlone) return error ?? new Error('unknown failure');
        }
        await this.waitForNext(error, attempt, first, stopping);
      }
    }
  }

  /** Whether other messages pass while one has failed so often; without any, enough failures count. */
  private async failsAlone(
    failures: number,
    neighbours: readonly RawMessage[],
    stopping: AbortSignal,
  ): Promise<boolean> {
    let othersFail = false;
    for (const raw of sampleOf(neighbours, REHEARSALS)) {
      const message = this.decode(raw);
      if (message instanceof BadMessageError) continue;
      try {
        await this.options.rehearse([message]);
        this.passes++;
        return true;
      } catch (error) {
        if (stopping.aborted && error === stopping.reason) throw error;
        if (isUnavailable(error)) return false;
        othersFail ||= !isOwnFault(error);
      }
    }
    return !othersFail && failures >= MAX_LONELY_ATTEMPTS;
  }

  /** Tries again after any error: the message never causes a failure to bury it. */
  private async bury(raw: RawMessage, reason: string, stopping: AbortSignal): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.options.bury(raw, reason);
      } catch (error) {
        await this.waitForNext(error, attempt, raw, stopping);
      }
    }
  }

  private async waitForNext(
    error: unknown,
    attempt: number,
    first: RawMessage,
    stopping: AbortSignal,
  ): Promise<void> {
    this.options.onRetry(error, attempt, first);
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

/** Whether the handler says that the message's content is at fault. */
function isOwnFault(error: unknown): boolean {
  return error instanceof BadMessageError || (error instanceof DomainError && error.status < 500);
}

/** At most `count` of the messages, the first and the last among them. */
function sampleOf(messages: readonly RawMessage[], count: number): RawMessage[] {
  if (messages.length <= count) return [...messages];
  const step = (messages.length - 1) / (count - 1);
  return Array.from({ length: count }, (_, i) => messages[Math.round(i * step)]!);
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
