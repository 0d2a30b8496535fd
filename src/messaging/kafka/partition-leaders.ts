import type { ICustomPartitioner, IHeaders, Message, Producer } from 'kafkajs';
import type { OutgoingMessage } from '../event-log';

/** What the messages of one send have in common: the broker that all of it goes to. */
interface Send {
  leader?: number;
}

interface SentMessage extends Message {
  readonly partition: number;
  /** Left out where all messages are of one partition, which has one leader whatever happens. */
  readonly send?: Send;
}

/** Nothing of this attempt was sent, and of those before nothing was answered. */
class LeadersDifferError extends Error {}

/**
 * Sends to one broker at a time. KafkaJS remembers by broker what was answered to a send, its retries
 * included: a partition whose leader moves meanwhile to a broker that has answered would be passed
 * over in silence, and one that moves away from it stored twice. It also leaves out, in silence,
 * partitions that the topic does not have.
 */
export class PartitionLeaders {
  /** By topic and partition, as far as it was needed. May be old: it only groups. */
  private readonly known = new Map<string, ReadonlyMap<number, number>>();

  /** Asked for every message of each attempt, right before KafkaJS looks up the leaders. */
  readonly partitioner: ICustomPartitioner =
    () =>
    ({ topic, partitionMetadata, message }) => {
      const { partition, send } = message as SentMessage;
      const leader = partitionMetadata.find(({ partitionId }) => partitionId === partition)?.leader;
      if (leader === undefined) throw new UnknownPartitionError(topic, partition);
      if (send && (send.leader ??= leader) !== leader) {
        const leaders = partitionMetadata.map((each) => [each.partitionId, each.leader] as const);
        this.known.set(topic, new Map(leaders));
        throw new LeadersDifferError(`${topic} has leaders that have moved`);
      }
      return partition;
    };

  /**
   * Sends the messages, those of a partition in their order.
   * @param producer made with this `partitioner`
   */
  async send(
    producer: Producer,
    topic: string,
    acks: number,
    messages: readonly OutgoingMessage[],
  ): Promise<void> {
    const leaders = this.known.get(topic);
    const byLeader = Map.groupBy(messages, ({ partition }) => leaders?.get(partition));
    await all(byLeader, async (together) => {
      try {
        await send(producer, topic, acks, together, {});
      } catch (error) {
        if (!(error instanceof LeadersDifferError)) throw error;
        const byPartition = Map.groupBy(together, ({ partition }) => partition);
        await all(byPartition, (part) => send(producer, topic, acks, part));
      }
    });
  }
}

/** KafkaJS looks for the partition anew and tries again, as when a broker answers so. */
class UnknownPartitionError extends Error {
  readonly type = 'UNKNOWN_TOPIC_OR_PARTITION';

  constructor(topic: string, partition: number) {
    super(`${topic} has no partition ${partition}`);
  }
}

async function send(
  producer: Producer,
  topic: string,
  acks: number,
  messages: readonly OutgoingMessage[],
  together?: Send,
): Promise<void> {
  await producer.send({
    topic,
    acks,
    messages: messages.map(({ key, value, partition, headers }): SentMessage => ({
      key,
      value,
      partition,
      headers: headers as IHeaders | undefined,
      send: together,
    })),
  });
}

/** Waits for all before it throws: the producer of one that has failed is given up. */
async function all<T>(
  groups: ReadonlyMap<unknown, T>,
  work: (group: T) => Promise<void>,
): Promise<void> {
  for (const ended of await Promise.allSettled([...groups.values()].map(work)))
    if (ended.status === 'rejected') throw ended.reason;
}
