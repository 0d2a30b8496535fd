import { setImmediate, setTimeout } from 'node:timers/promises';
import { AssignerProtocol, type Consumer, type Kafka, KafkaJSProtocolError } from 'kafkajs';
import type { PartitionHandler } from '../event-log';
import { KafkaConsumer } from './kafka-consumer';

interface Partition {
  partition: number;
  fetchOffset: string;
}

type Topics<T> = [{ topic: string; partitions: T[] }];

const TOPIC = 'topic';
const CONDITION_TIMEOUT_MS = 10_000;
const MESSAGES_PER_FETCH = 100;

/** KafkaJS's own consumer, on a fake cluster. */
const createConsumer = jest.requireActual<(options: object) => Consumer>('kafkajs/src/consumer');
const logger = {
  namespace: () => logger,
  ...Object.fromEntries(['debug', 'info', 'warn', 'error'].map((level) => [level, () => null])),
};

/** Two brokers; broker 1 coordinates the group, which has one member. */
class FakeCluster {
  /** By partition: its leader, its number of messages, and the group's committed offset. */
  readonly leaders = [1, 2];
  readonly ends = [0, 0];
  readonly committed = [0, 0];
  /** The partitions that the member is assigned. */
  assigned = [0, 1];
  joins = 0;
  readonly fetches: Partition[] = [];
  /** Called before a broker answers a fetch; the fetch fails with its error. */
  beforeAnswer: (broker: number, partition: Partition) => Promise<void> | void = () => undefined;
  private readonly offsets = {};
  private readonly brokers = [1, 2].map((nodeId) => ({
    nodeId,
    isConnected: () => true,
    fetch: ({ topics }: { topics: Topics<Partition> }) => this.fetch(nodeId, topics),
    joinGroup: () => {
      const member = { memberId: 'member', memberMetadata: Buffer.alloc(0) };
      const { memberId } = member;
      const groupProtocol = 'RoundRobinAssigner';
      return Promise.resolve({
        generationId: ++this.joins,
        leaderId: memberId,
        memberId,
        members: [member],
        groupProtocol,
      });
    },
    syncGroup: () => {
      const assignment = { [TOPIC]: this.assigned };
      const userData = Buffer.alloc(0);
      return Promise.resolve({
        memberAssignment: AssignerProtocol.MemberAssignment.encode({
          version: 0,
          assignment,
          userData,
        }),
      });
    },
    heartbeat: () => Promise.resolve(),
    leaveGroup: () => Promise.resolve(),
    offsetFetch: ({ topics: [{ topic, partitions }] }: { topics: Topics<Partition> }) => {
      const offsets = partitions.map(({ partition }) => ({
        partition,
        offset: String(this.committed[partition]),
      }));
      return Promise.resolve({ responses: [{ topic, partitions: offsets }] });
    },
    offsetCommit: ({
      topics: [{ partitions }],
    }: {
      topics: Topics<{ partition: number; offset: string }>;
    }) => {
      for (const { partition, offset } of partitions) this.committed[partition] = Number(offset);
      return Promise.resolve();
    },
  }));

  findTopicPartitionMetadata = (): object[] =>
    this.leaders.map((leader, partitionId) => ({ partitionId, leader }));
  findBroker = ({ nodeId }: { nodeId: string }): Promise<object> =>
    Promise.resolve(this.brokers[Number(nodeId) - 1]!);
  findGroupCoordinator = (): Promise<object> => this.findBroker({ nodeId: '1' });
  getNodeIds = (): number[] => [1, 2];
  committedOffsets = (): object => this.offsets;
  connect = (): Promise<void> => Promise.resolve();
  disconnect = this.connect;
  refreshMetadata = this.connect;
  refreshMetadataIfNecessary = this.connect;
  addMultipleTargetTopics = this.connect;

  private async fetch(nodeId: number, [{ partitions }]: Topics<Partition>): Promise<object> {
    for (const each of partitions) {
      this.fetches.push(each);
      await this.beforeAnswer(nodeId, each);
    }
    const answers = partitions.map(({ partition, fetchOffset }) => {
      const end = this.ends[partition]!;
      const from = Number(fetchOffset);
      const messages = Array.from({ length: Math.min(MESSAGES_PER_FETCH, end - from) }, (_, i) => ({
        offset: String(from + i),
        timestamp: '0',
        key: null,
        value: Buffer.from('x'),
      }));
      return { partition, highWatermark: String(end), messages };
    });
    // As a broker does with and without messages, but faster.
    if (answers.some(({ messages }) => messages.length > 0)) await setImmediate();
    else await setTimeout(1);
    return { responses: [{ topicName: TOPIC, partitions: answers }] };
  }
}

/** The error of a fetch from a broker that no longer leads the partition. */
function notLeader(): Error {
  const type = 'NOT_LEADER_FOR_PARTITION';
  return Object.assign(new KafkaJSProtocolError(type), { type, code: 6, retriable: true });
}

describe('KafkaConsumer', () => {
  let cluster: FakeCluster;
  let consumer: KafkaConsumer | undefined;
  /** The offsets of the handled messages, by partition. */
  let handled: number[][];

  beforeEach(() => {
    cluster = new FakeCluster();
    handled = [[], []];
  });
  afterEach(async () => {
    await consumer?.stop();
  });

  const consume = async (size: number, handle?: () => Promise<void>): Promise<KafkaConsumer> => {
    const kafka = {
      consumer: (options: object) => createConsumer({ ...options, cluster, logger }),
    } as unknown as Kafka;
    const handler: PartitionHandler = {
      onStart: () => Promise.resolve(),
      onMessages: async (_, messages) => {
        for (const { partition, offset } of messages) handled[partition]!.push(offset);
        await handle?.();
      },
    };
    // Waits for full batches.
    const options = { topic: TOPIC, group: 'group', size, lingerMs: 1_000_000 };
    consumer = new KafkaConsumer(kafka, options, handler);
    await consumer.start();
    return consumer;
  };
  const until = async (condition: () => boolean): Promise<void> => {
    const deadline = Date.now() + CONDITION_TIMEOUT_MS;
    while (!condition()) {
      if (Date.now() > deadline)
        throw new Error(`not within ${CONDITION_TIMEOUT_MS} ms: ${String(condition)}`);
      await setTimeout(1);
    }
  };

  /**
   * Makes the member join again, as KafkaJS does during a fetch from broker 1. Meanwhile a fetch
   * for the second part of partition 1 is running, which broker 2 answers after the join.
   */
  const joinDuringFetch = async (assigned: number[]): Promise<void> => {
    const fetching = Promise.withResolvers<void>();
    const joined = Promise.withResolvers<void>();
    let isLeader = true;
    cluster.beforeAnswer = async (broker, { fetchOffset }) => {
      if (broker === 2 && fetchOffset === '50') {
        fetching.resolve();
        await joined.promise;
      }
      if (broker === 1 && !isLeader) {
        isLeader = true;
        throw notLeader();
      }
    };
    cluster.ends[1] = 50;
    await consume(100);
    await fetching.promise;
    cluster.assigned = assigned;
    isLeader = false;
    await until(() => cluster.joins === 2);
    // The fetch from broker 1 has ended.
    const { length } = cluster.fetches;
    await until(() => cluster.fetches.length > length);
    cluster.ends[1] = 200;
    joined.resolve();
  };

  it('handles every message when it joins again during a fetch', async () => {
    await joinDuringFetch([0, 1]);
    await until(() => handled[1]!.length >= 100);
    expect(handled[1]!.slice(0, 100)).toEqual([...Array(100).keys()]);
    await until(() => cluster.committed[1] === 200);
  });

  it('handles no message of a partition that it lost during a fetch', async () => {
    await joinDuringFetch([0]);
    cluster.ends[0] = 100;
    await until(() => cluster.committed[0] === 100);
    expect(handled).toEqual([[...Array(100).keys()], []]);
  });

  it('fetches no more than it needs to stay a member while its last batch ends', async () => {
    const gate = Promise.withResolvers<void>();
    cluster.ends[0] = 1_000;
    const stopping = await consume(1, () => gate.promise);
    await until(() => handled[0]!.length > 0);
    const { length } = cluster.fetches;
    const stopped = stopping.stop();
    // Without the wait for the last batch, many more fetches would begin.
    for (let turn = 0; turn < 1_000; turn++) await setImmediate();
    const begun = cluster.fetches.slice(length).filter(({ partition }) => partition === 0);
    gate.resolve();
    await stopped;
    expect(begun).toHaveLength(1);
    expect(cluster.committed[0]).toBe(1);
  });
});
