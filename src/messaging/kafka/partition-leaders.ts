import type { ICustomPartitioner, IHeaders, Message, Producer } from 'kafkajs';
import type { OutgoingMessage } from '../event-log';

/** Shared by the messages of one send: the broker that all of them go to. */
interface Send {
  leader?: number;
}

interface SentMessage extends Message {
  readonly partition: number;
  /** Missing when all messages are of one partition, which always has one leader. */
  readonly send?: Send;
}

/** Nothing of this attempt was sent, and no earlier attempt was answered. */
class LeadersDifferError extends Error {}

/**
 * Sends to one broker per send. For a send and its retries, KafkaJS remembers which brokers have
 * answered: it would silently skip a partition whose leader moves to such a broker, and store twice
 * a partition that moves away from one. It also silently skips partitions that the topic does not
 * have.
 */
export class PartitionLeaders {
  /** Leaders by topic and partition. May be outdated: they only group messages. */
  private readonly known = new Map<string, ReadonlyMap<number, number>>();

  /** Called for every message of each attempt, just before KafkaJS looks up the leaders. */
  readonly partitioner: ICustomPartitioner =
    () =>
    ({ topic, partitionMetadata, message }) => {
      const { partition, send } = message as SentMessage;
      const leader = partitionMetadata.find(({ partitionId }) => partitionId === partition)?.leader;
      if (leader === undefined) throw new UnknownPartitionError(topic, partition);
      if (send && (send.leader ??= leader) !== leader) {
        const leaders = partitionMetadata.map((each) => [each.partitionId, each.leader] as const);
        this.known.set(topic, new Map(leaders));
        throw new LeadersDifferError(`leaders of ${topic} have moved`);
      }
      return partition;
    };

  /**
   * Sends the messages; those of one partition keep their order.
   * @param producer created with this `partitioner`
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

/** KafkaJS refreshes its metadata and tries again, as after this error from a broker. */
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

/** Waits for all before it throws: after a failure the caller discards the producer. */
async function all<T>(
  groups: ReadonlyMap<unknown, T>,
  work: (group: T) => Promise<void>,
): Promise<void> {
  for (const ended of await Promise.allSettled([...groups.values()].map(work)))
    if (ended.status === 'rejected') throw ended.reason;
}
