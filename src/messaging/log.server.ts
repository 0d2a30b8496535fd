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
import { MessagingMetrics } from './messaging.metrics';
import { type FencedPartition, OffsetFence } from './offset-fence';
import type { Subscription } from './subscribe.decorator';
import { TopicProvisioner } from './topic-provisioner';

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
            onMessages: (_, messages, stopping) =>
              this.onMessages(runner, subscription, messages, stopping),
          },
        );
        this.running.push(consumer);
        this.logger.log(`Group ${group} consumes ${topic.name}`);
        return;
      } catch (error) {
        if (attempt === 1)
          this.logger.warn(
            `Group ${group} cannot consume ${topic.name} yet, retrying: ${String(error)}`,
          );
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
    const placeOf = ({ partition }: { partition: number }): FencedPartition => ({
      ...labels,
      partition,
      logId: logIds.get(partition)!,
    });
    return new BatchRunner({
      decode: (value) => topic.decode(value),
      handle: async (messages) => {
        const result: unknown = await handler({ ...placeOf(messages[0]!), messages });
        // Nest wraps the method's result in an observable, which also carries its errors.
        if (isObservable(result)) await lastValueFrom(result, { defaultValue: undefined });
      },
      bury: (message, reason) => this.bury(placeOf(message), message, reason),
      onRetry: (error, attempt) => {
        this.metrics.retries.inc(labels);
        if (attempt === 1)
          this.logger.warn(
            `Group ${group} failed on a batch of ${topic.name}, retrying: ${String(error)}`,
          );
      },
    });
  }

  private async bury(place: FencedPartition, message: RawMessage, reason: string): Promise<void> {
    const { topic, group } = place;
    // A replay must not dead-letter the same message again.
    if ((await this.fence.nextOffset(place)) > message.offset) return;
    await this.deadLetters.bury(topic, group, message, reason);
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
        return logId;
      } catch (error) {
        if (attempt === 1)
          this.logger.warn(
            `Group ${group} cannot start with ${topic.name}/${partition} yet, retrying: ${String(error)}`,
          );
        if (stopping.aborted) throw error;
        await pause(RETRY_PAUSE_MS, stopping);
      }
    }
  }

  private async onMessages(
    runner: BatchRunner<unknown>,
    { topic, group }: Subscription,
    messages: readonly RawMessage[],
    stopping: AbortSignal,
  ): Promise<void> {
    await runner.run(messages, stopping);
    this.metrics.handled.inc({ topic: topic.name, group }, messages.length);
  }
}
