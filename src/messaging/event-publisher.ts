import { Injectable } from '@nestjs/common';
import { UnavailableError } from '../platform/errors';
import { EventLog, type OutgoingMessage } from './event-log';
import { EventTooLargeError } from './event-too-large.error';
import { partitionOfKey } from './partitioner';
import { MAX_MESSAGE_BYTES, type Topic } from './topic';
import { TopicProvisioner } from './topic-provisioner';

/** Milliseconds after which `publish` gives up waiting for the log. */
const PATIENCE = 3_000;
/** Messages that may wait for the log; beyond it, `publish` is refused at once. */
const WAITING = 20_000;
/** Messages of one append. */
const BATCH = 2_000;

interface Waiting {
  readonly messages: readonly OutgoingMessage[];
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** What waits for one topic's log; one append at a time, so that the order of publishing stays. */
interface Lane {
  queue: Waiting[];
  size: number;
  sending: boolean;
}

/**
 * Publishes events. What is published while an append is under way goes with the next one, so that
 * under load the batches grow by themselves and idle events wait for nothing.
 */
@Injectable()
export class EventPublisher {
  private readonly lanes = new Map<string, Lane>();

  constructor(
    private readonly log: EventLog,
    private readonly provisioner: TopicProvisioner,
  ) {}

  /**
   * Makes the topic ahead of its first event, which may take a cold broker seconds. The process is
   * not ready before it is there.
   */
  prepare<Payload>(topic: Topic<Payload>): void {
    // A failure shows in the readiness, which asks again each time.
    this.provisioner.ensure(topic as Topic<unknown>).catch(() => undefined);
  }

  /**
   * Resolves once the log holds the events as the topic's `acks` asks.
   * @throws EventTooLargeError for one above MAX_MESSAGE_BYTES: then none of them is published
   * @throws UnavailableError when the log does not take them within 3 seconds; they may still arrive
   */
  async publish<Payload>(topic: Topic<Payload>, ...payloads: Payload[]): Promise<void> {
    if (payloads.length === 0) return;
    const lane = this.laneOf(topic.name);
    if (lane.size + payloads.length > WAITING)
      throw new UnavailableError('log', `${lane.size} messages wait for ${topic.name} already`);
    const messages = payloads.map((payload): OutgoingMessage => {
      const key = topic.keyOf(payload);
      const value = topic.encode(payload);
      // Refused alone: the log would refuse all that goes with it.
      const bytes = Buffer.byteLength(key) + value.length;
      if (bytes > MAX_MESSAGE_BYTES) throw new EventTooLargeError(topic.name, bytes);
      return { key, value, partition: partitionOfKey(key, topic.partitions) };
    });
    const sent = new Promise<void>((resolve, reject) => {
      lane.queue.push({ messages, resolve, reject });
      lane.size += messages.length;
    });
    if (!lane.sending) {
      lane.sending = true;
      void this.send(topic as Topic<unknown>, lane);
    }
    await withPatience(sent, topic.name);
  }

  private laneOf(topic: string): Lane {
    let lane = this.lanes.get(topic);
    if (!lane) this.lanes.set(topic, (lane = { queue: [], size: 0, sending: false }));
    return lane;
  }

  private async send(topic: Topic<unknown>, lane: Lane): Promise<void> {
    // Lets everything that this turn of the event loop publishes into the first batch.
    await Promise.resolve();
    while (lane.queue.length > 0) {
      const batch: Waiting[] = [];
      let size = 0;
      while (lane.queue.length > 0 && size < BATCH) {
        const next = lane.queue.shift() as Waiting;
        batch.push(next);
        size += next.messages.length;
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
      lane.size -= size;
    }
    lane.sending = false;
  }
}

async function withPatience(sent: Promise<void>, topic: string): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new UnavailableError('log', `no answer for ${topic} within ${PATIENCE} ms`)),
      PATIENCE,
    );
  });
  try {
    await Promise.race([sent, tooLong]);
  } finally {
    clearTimeout(timer);
  }
}
