import { Injectable } from '@nestjs/common';
import { UnavailableError } from '../platform/errors';
import { withTimeout } from '../platform/timing';
import { EventLog, type OutgoingMessage } from './event-log';
import { EventTooLargeError } from './event-too-large.error';
import { partitionOfKey } from './partitioner';
import { MAX_MESSAGE_BYTES, type Topic } from './topic';
import { TopicProvisioner } from './topic-provisioner';

/** After this time `publish` stops waiting for the log. */
const PUBLISH_TIMEOUT_MS = 3_000;
/** Messages of one topic that may wait for the log; beyond it, `publish` is refused at once. */
const MAX_PENDING_MESSAGES = 20_000;
/** No further publish joins an append that has this many messages. */
const APPEND_MESSAGES = 2_000;

interface PendingPublish {
  readonly messages: readonly OutgoingMessage[];
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** What waits for one topic's log. One append at a time, which keeps the order of publishing. */
interface TopicQueue {
  pending: PendingPublish[];
  messageCount: number;
  isSending: boolean;
}

/**
 * Publishes events. Events that are published during an append go with the next one: under load the
 * batches grow by themselves, and without load an event waits for nothing.
 */
@Injectable()
export class EventPublisher {
  private readonly queues = new Map<string, TopicQueue>();

  constructor(
    private readonly log: EventLog,
    private readonly provisioner: TopicProvisioner,
  ) {}

  /**
   * Creates the topic before its first event, which may take a broker seconds after its start. The
   * process is not ready before the topic exists.
   */
  prepare<Payload>(topic: Topic<Payload>): void {
    // A failure shows in the readiness check, which tries again each time.
    this.provisioner.ensure(topic as Topic<unknown>).catch(() => undefined);
  }

  /**
   * Resolves once the log holds the events as the topic's `acks` asks.
   * @throws EventTooLargeError for one above MAX_MESSAGE_BYTES: then none of them is published
   * @throws UnavailableError when the log does not take them within 3 seconds; they may still
   * arrive
   */
  async publish<Payload>(topic: Topic<Payload>, ...payloads: Payload[]): Promise<void> {
    if (payloads.length === 0) return;
    const queue = this.queueOf(topic.name);
    if (queue.messageCount + payloads.length > MAX_PENDING_MESSAGES)
      throw new UnavailableError(
        'log',
        `${queue.messageCount} messages already wait to be published to ${topic.name}`,
      );
    const messages = payloads.map((payload): OutgoingMessage => {
      const key = topic.keyOf(payload);
      const value = topic.encode(payload);
      // Refused here: the log would refuse every message of the same append.
      const bytes = Buffer.byteLength(key) + value.length;
      if (bytes > MAX_MESSAGE_BYTES) throw new EventTooLargeError(topic.name, bytes);
      return { key, value, partition: partitionOfKey(key, topic.partitions) };
    });
    const sent = new Promise<void>((resolve, reject) => {
      queue.pending.push({ messages, resolve, reject });
      queue.messageCount += messages.length;
    });
    if (!queue.isSending) {
      queue.isSending = true;
      void this.send(topic as Topic<unknown>, queue);
    }
    await withTimeout(
      PUBLISH_TIMEOUT_MS,
      sent,
      () =>
        new UnavailableError('log', `no answer for ${topic.name} within ${PUBLISH_TIMEOUT_MS} ms`),
    );
  }

  private queueOf(topic: string): TopicQueue {
    let queue = this.queues.get(topic);
    if (!queue)
      this.queues.set(topic, (queue = { pending: [], messageCount: 0, isSending: false }));
    return queue;
  }

  private async send(topic: Topic<unknown>, queue: TopicQueue): Promise<void> {
    // Lets everything that this turn of the event loop publishes into the first batch.
    await Promise.resolve();
    while (queue.pending.length > 0) {
      const batch: PendingPublish[] = [];
      let count = 0;
      while (queue.pending.length > 0 && count < APPEND_MESSAGES) {
        const next = queue.pending.shift() as PendingPublish;
        batch.push(next);
        count += next.messages.length;
      }
      try {
        await this.provisioner.ensure(topic);
        await this.log.append(
          topic.name,
          topic.acks,
          batch.flatMap(({ messages }) => messages),
        );
        for (const { resolve } of batch) resolve();
      } catch (error) {
        this.provisioner.forget(topic);
        for (const { reject } of batch) reject(error as Error);
      }
      queue.messageCount -= count;
    }
    queue.isSending = false;
  }
}
