import { Injectable, Logger } from '@nestjs/common';
import {
  type CustomTransportStrategy,
  type MessageHandler,
  Server,
  Transport,
} from '@nestjs/microservices';
import { isObservable, lastValueFrom } from 'rxjs';
import { Environment, InvalidEnvironmentError } from '../platform/config';
import { pause } from '../platform/timing';
import { BatchRunner } from './batch-runner';
import { DeadLetters } from './dead-letters';
import { EventLog, type RawMessage, type RunningConsumer } from './event-log';
import type { Message } from './message';
import { MessagingMetrics } from './messaging.metrics';
import { type FencedPartition, OffsetFence } from './offset-fence';
import type { Subscription } from './subscribe.decorator';
import { TopicProvisioner } from './topic-provisioner';

/** Some messages of a partition, as the engine hands them over. */
interface Fetched {
  readonly messages: readonly RawMessage[];
  readonly stopping: AbortSignal;
  readonly following: () => readonly RawMessage[];
}

/** Between two attempts to join a group, or to start with a partition. */
const RETRY_PAUSE_MS = 1_000;

/**
 * Nest's transport over the event log: each `@Subscribe` method becomes a member of its consumer
 * group, on either engine. Nest's own Kafka server handles single messages for one group only, and
 * one bad message would block its partition for ever.
 */
@Injectable()
export class LogServer extends Server implements CustomTransportStrategy {
  override readonly transportId = Transport.KAFKA;
  protected override readonly logger = new Logger('Messaging');
  private readonly running: RunningConsumer[] = [];
  /** Messages whose dead letters this process has written. */
  private readonly buried = new WeakSet<RawMessage>();
  private readonly stopping = new AbortController();
  private starting: Promise<void> = Promise.resolve();

  constructor(
    private readonly log: EventLog,
    private readonly provisioner: TopicProvisioner,
    private readonly fence: OffsetFence,
    private readonly deadLetters: DeadLetters,
    private readonly metrics: MessagingMetrics,
    private readonly environment: Environment,
  ) {
    super();
  }

  /**
   * Joins the groups in the background, however long the log takes to become available.
   * @throws InvalidEnvironmentError (to the callback) when CONSUMER_GROUPS names an unknown group,
   * or when Canal's settings contradict those of a topic
   */
  listen(callback: (error?: unknown) => void): void {
    let subscriptions: [Subscription, MessageHandler][];
    try {
      subscriptions = this.subscriptions();
      for (const [subscription] of subscriptions)
        this.provisioner.checkAgainstCanal(subscription.topic);
    } catch (error) {
      callback(error);
      return;
    }
    this.starting = Promise.all(
      subscriptions.map(([subscription, handler]) => this.join(subscription, handler)),
    ).then(() => undefined);
    callback();
  }

  /** Stops fetching, waits for the running batches and commits their offsets. */
  async close(): Promise<void> {
    this.stopping.abort();
    await this.starting;
    await Promise.all(this.running.splice(0).map((consumer) => consumer.stop()));
  }

  on(): never {
    throw new Error('the event log emits no events');
  }

  unwrap<T>(): T {
    return this.log as T;
  }

  private subscriptions(): [Subscription, MessageHandler][] {
    const all = [...this.messageHandlers.values()].map(
      (handler): [Subscription, MessageHandler] => [
        (handler.extras as { subscription: Subscription }).subscription,
        handler,
      ],
    );
    const groups = this.environment.CONSUMER_GROUPS?.split(',');
    if (!groups) return all;
    const known = new Set(all.map(([{ group }]) => group));
    const unknown = groups.find((group) => !known.has(group));
    if (unknown !== undefined)
      throw new InvalidEnvironmentError(
        `CONSUMER_GROUPS names ${unknown}, but the groups are ${[...known].join(', ')}, e.g. CONSUMER_GROUPS=interactive,history`,
      );
    return all.filter(([{ group }]) => groups.includes(group));
  }

  private async join(subscription: Subscription, handler: MessageHandler): Promise<void> {
    const { topic, group, batch } = subscription;
    const { waits } = this.metrics;
    const joining = { group, topic: topic.name, partition: null };
    this.metrics.watch(subscription);
    // By partition, set at its start: messages that were read from a log have that log's offsets.
    const logIds = new Map<number, string>();
    const runner = this.runner(subscription, handler, logIds);
    for (let attempt = 1; !this.stopping.signal.aborted; attempt++) {
      try {
        await this.provisioner.ensure(topic);
        const consumer = await this.log.consume(
          { topic: topic.name, group, ...batch },
          {
            onStart: async (_, partition, stopping) => {
              logIds.set(partition, await this.onStart(subscription, partition, stopping));
            },
            onMessages: (_, messages, stopping, following) =>
              this.onMessages(runner, subscription, { messages, stopping, following }),
            onFault: (fault) => (fault ? waits.note(joining, fault) : waits.end(joining)),
          },
        );
        this.running.push(consumer);
        waits.end(joining);
        this.logger.log(`Group ${group} consumes ${topic.name}`);
        return;
      } catch (error) {
        if (attempt === 1)
          this.logger.warn(
            `Group ${group} cannot consume ${topic.name} yet, retrying: ${String(error)}`,
          );
        waits.note(joining, error);
        await pause(RETRY_PAUSE_MS, this.stopping.signal);
      }
    }
  }

  private runner(
    { topic, group }: Subscription,
    handler: MessageHandler,
    logIds: ReadonlyMap<number, string>,
  ): BatchRunner<unknown> {
    const labels = { topic: topic.name, group };
    const { waits } = this.metrics;
    const placeOf = ({ partition }: { partition: number }): FencedPartition => ({
      ...labels,
      partition,
      logId: logIds.get(partition)!,
    });
    const call = async (messages: readonly Message<unknown>[]): Promise<void> => {
      const result: unknown = await handler({ ...placeOf(messages[0]!), messages });
      // Nest wraps the method's result in an observable, which also carries its errors.
      if (isObservable(result)) await lastValueFrom(result, { defaultValue: undefined });
    };
    return new BatchRunner({
      decode: (value) => topic.decode(value),
      handle: async (messages) => {
        await call(messages);
        waits.end(placeOf(messages[0]!));
      },
      rehearse: (messages) => this.fence.rehearse(() => call(messages)),
      bury: async (message, reason) => {
        await this.bury(placeOf(message), message, reason);
        waits.end(placeOf(message));
      },
      onRetry: (error, attempt, first) => {
        this.metrics.retries.inc(labels);
        waits.note(placeOf(first), error);
        if (attempt === 1)
          this.logger.warn(
            `Group ${group} failed on a batch of ${topic.name}, retrying: ${String(error)}`,
          );
      },
    });
  }

  /** Call it with the same message again after an error. */
  private async bury(place: FencedPartition, message: RawMessage, reason: string): Promise<void> {
    const { topic, group } = place;
    // A replay must not dead-letter the same message again.
    if ((await this.fence.nextOffset(place)) > message.offset) return;
    if (!this.buried.has(message)) await this.deadLetters.bury(topic, group, message, reason);
    // MySQL may refuse what follows: then the log has the letter already.
    this.buried.add(message);
    await this.fence.advancePast(place, message.offset);
    this.metrics.deadLetters.inc({ topic, group });
    this.logger.error(
      `Group ${group} dead-lettered ${topic}/${message.partition} offset ${message.offset}: ${reason}`,
    );
  }

  /** @returns the id of the log */
  private async onStart(
    { topic, group }: Subscription,
    partition: number,
    stopping: AbortSignal,
  ): Promise<string> {
    const { waits } = this.metrics;
    const starting = { group, topic: topic.name, partition };
    for (let attempt = 1; ; attempt++) {
      try {
        const logId = await this.log.id();
        const place = { topic: topic.name, group, partition, logId };
        let end = 0;
        const before = await this.fence.begin(place, async () => {
          end = (await this.log.endOffsets(topic.name))[partition] ?? 0;
          return { endOffset: end, resumeAt: this.log.idChangesWithContent ? end : 0 };
        });
        if (before !== undefined)
          this.logger.warn(
            `${topic.name}/${partition} ends at offset ${end}, but group ${group} had handled it up to ${before}: the log was replaced or has lost its last messages; continuing with those it has`,
          );
        waits.end(starting);
        return logId;
      } catch (error) {
        if (attempt === 1)
          this.logger.warn(
            `Group ${group} cannot start with ${topic.name}/${partition} yet, retrying: ${String(error)}`,
          );
        waits.note(starting, error);
        await pause(RETRY_PAUSE_MS, stopping);
        if (stopping.aborted) {
          waits.end(starting);
          throw error;
        }
      }
    }
  }

  private async onMessages(
    runner: BatchRunner<unknown>,
    { topic, group }: Subscription,
    { messages, stopping, following }: Fetched,
  ): Promise<void> {
    try {
      await runner.run(messages, stopping, following);
    } finally {
      // After a stop another member goes on.
      this.metrics.waits.end({ group, topic: topic.name, partition: messages[0]!.partition });
    }
    this.metrics.handled.inc({ topic: topic.name, group }, messages.length);
  }
}
