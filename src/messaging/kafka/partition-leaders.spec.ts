import { KafkaJSProtocolError, type Producer } from 'kafkajs';
import { PartitionLeaders } from './partition-leaders';

interface TopicData {
  topic: string;
  partitions: { partition: number; firstSequence: number; messages: { value: Buffer }[] }[];
}

const TOPIC = 'topic';

/** KafkaJS's own producer, on a fake cluster. */
const createProducer = jest.requireActual<(options: object) => Producer>('kafkajs/src/producer');
const { findLeaderForPartitions } = jest.requireActual<{ prototype: Record<string, unknown> }>(
  'kafkajs/src/cluster',
).prototype;
const silent = Object.fromEntries(
  ['debug', 'info', 'warn', 'error'].map((level) => [level, () => undefined]),
);
const logger = { ...silent, namespace: () => silent };

/** Brokers 1 and 2, and a client's metadata of them. */
class FakeCluster {
  /** By partition, the leader that the brokers know. */
  leaders: number[] = [];
  /** Stored messages, by partition. */
  readonly stored: string[][] = [[], [], []];
  requests = 0;
  /** Called after each request that reached a broker. */
  afterRequest: (broker: number) => void = () => undefined;
  readonly retry = {};
  readonly targetTopics = new Set([TOPIC]);
  readonly findLeaderForPartitions = findLeaderForPartitions;
  private known: number[] = [];
  private readonly sequences = new Set<string>();
  private readonly brokers = [1, 2].map((nodeId) => ({
    nodeId,
    initProducerId: () => Promise.resolve({ producerId: '7', producerEpoch: 0 }),
    produce: ({ topicData }: { topicData: TopicData[] }) => this.produce(nodeId, topicData),
  }));

  refreshMetadata(): Promise<void> {
    this.known = [...this.leaders];
    return Promise.resolve();
  }

  findTopicPartitionMetadata(): object[] {
    return this.known.map((leader, partitionId) => ({ partitionId, leader }));
  }

  findBroker({ nodeId }: { nodeId: string }): Promise<object> {
    return Promise.resolve(this.brokers[Number(nodeId) - 1]!);
  }

  findControllerBroker = (): Promise<object> => this.findBroker({ nodeId: '1' });
  isConnected = (): boolean => true;
  connect = (): Promise<void> => this.refreshMetadata();
  refreshMetadataIfNecessary = (): Promise<void> => Promise.resolve();
  addMultipleTargetTopics = (): Promise<void> => Promise.resolve();

  /** Stores messages of the partitions that the broker leads, and refuses the others. */
  private produce(nodeId: number, [data]: TopicData[]): Promise<object> {
    this.requests++;
    let refused = false;
    for (const { partition, firstSequence, messages } of data?.partitions ?? []) {
      if (this.leaders[partition] !== nodeId) refused = true;
      else if (!this.sequences.has(`${partition}/${firstSequence}`)) {
        this.sequences.add(`${partition}/${firstSequence}`);
        this.stored[partition]!.push(...messages.map(({ value }) => value.toString()));
      }
    }
    this.afterRequest(nodeId);
    if (refused) return Promise.reject(notLeader());
    return Promise.resolve({
      topics: [{ topicName: TOPIC, partitions: data!.partitions.map(() => ({ errorCode: 0 })) }],
    });
  }
}

function notLeader(): Error {
  const type = 'NOT_LEADER_FOR_PARTITION';
  return Object.assign(new KafkaJSProtocolError(type), { type, code: 6, retriable: true });
}

describe('PartitionLeaders', () => {
  let cluster: FakeCluster;
  let append: (...partitions: number[]) => Promise<void>;
  /** Starts with these leaders, which the client knows. */
  const begin = async (...leaders: number[]): Promise<void> => {
    cluster = new FakeCluster();
    cluster.leaders = leaders;
    const sends = new PartitionLeaders();
    const producer = createProducer({
      cluster,
      logger,
      createPartitioner: sends.partitioner,
      idempotent: true,
      retry: { retries: 5, initialRetryTime: 1 },
    });
    await producer.connect();
    let n = 0;
    append = (...partitions) =>
      sends.send(
        producer,
        TOPIC,
        -1,
        partitions.map((partition) => ({ key: null, partition, value: Buffer.from(`${n++}`) })),
      );
  };

  it('sends one request to each broker, for all of its partitions', async () => {
    await begin(1, 1, 1);
    await append(0, 1, 2);
    expect(cluster.requests).toBe(1);

    await begin(1, 2, 1);
    await append(0, 1, 2);
    cluster.requests = 0;
    await append(0, 1, 2, 0);
    expect(cluster.requests).toBe(2);
    expect(cluster.stored).toEqual([
      ['0', '3', '6'],
      ['1', '4'],
      ['2', '5'],
    ]);
  });

  it('skips no partition that moves to a broker that has already answered', async () => {
    await begin(1, 2);
    cluster.leaders = [1, 1];
    await append(0, 1);
    expect(cluster.stored).toEqual([['0'], ['1'], []]);
  });

  it('stores no message twice when a partition moves to a broker that gets a retry', async () => {
    await begin(1, 2);
    await append(0, 1);
    cluster.leaders = [1, 1];
    cluster.afterRequest = () => {
      cluster.leaders = [2, 1];
    };
    await append(0, 1);
    expect(cluster.stored).toEqual([['0', '2'], ['1', '3'], []]);
  });

  it('stores once the messages that a broker took of a partly refused request', async () => {
    await begin(1, 1, 1);
    cluster.leaders = [1, 2, 1];
    await append(0, 1, 2);
    expect(cluster.stored).toEqual([['0'], ['1'], ['2']]);
  });

  it('finds partitions that move together', async () => {
    await begin(1, 1);
    cluster.leaders = [2, 2];
    await append(0, 1);
    expect(cluster.stored).toEqual([['0'], ['1'], []]);
  });

  it('finds added partitions, and refuses messages for partitions that do not exist', async () => {
    await begin(1);
    cluster.leaders = [1, 2];
    await append(0, 1);
    expect(cluster.stored).toEqual([['0'], ['1'], []]);
    await expect(append(2)).rejects.toThrow('topic has no partition 2');
    await expect(append(0, 2)).rejects.toThrow('topic has no partition 2');
  });
});
