import { Logger } from '@nestjs/common';
import {
  type Admin,
  type IHeaders,
  Kafka,
  logLevel,
  Partitioners,
  type Producer,
  type RecordMetadata,
} from 'kafkajs';
import { UnavailableError } from '../../platform/errors';
import {
  type ConsumeOptions,
  EventLog,
  type OutgoingMessage,
  type PartitionHandler,
  type RawMessage,
  type RunningConsumer,
} from '../event-log';
import type { Acks } from '../topic';
import { KafkaConsumer } from './kafka-consumer';
import { rawMessage } from './raw-message';

const ACKS: Record<Acks, number> = { all: -1, leader: 1, none: 0 };
/** Milliseconds, enough for a new group to form on a busy broker. */
const READ_TIMEOUT = 20_000;
/** A failed append gets a new producer, so that the limit costs no guarantee. */
const IDEMPOTENCE_WARNING = 'Limiting retries for the idempotent producer';

/** The event log on Apache Kafka, through KafkaJS. */
export class KafkaEventLog extends EventLog {
  /** The cluster has one, and KafkaJS does not know the ids of topics. */
  override readonly idTellsContent = false;
  private readonly kafka: Kafka;
  private admin: Promise<Admin> | undefined;
  private readonly producers = new Map<Acks, Promise<Producer>>();
  private readonly consumers = new Set<RunningConsumer>();

  /** @param brokers host:port of each broker to begin with */
  constructor(brokers: readonly string[]) {
    super();
    const logger = new Logger('Kafka');
    this.kafka = new Kafka({
      clientId: 'webook',
      brokers: [...brokers],
      connectionTimeout: 2_000,
      requestTimeout: 5_000,
      retry: { retries: 2, initialRetryTime: 100, maxRetryTime: 1_000 },
      logLevel: logLevel.WARN,
      // KafkaJS tells as ERROR what it then retries; what fails in the end is told by who asked.
      logCreator:
        () =>
        ({ level, log }) => {
          if (log.message.startsWith(IDEMPOTENCE_WARNING)) return;
          const text = `${log.message}${log.error ? `: ${String(log.error)}` : ''}`;
          if (level === logLevel.WARN) logger.warn(text);
          else logger.debug(text);
        },
    });
  }

  async id(): Promise<string> {
    return this.administer(async (admin) => `kafka:${(await admin.describeCluster()).clusterId}`);
  }

  async ensureTopic(topic: string, partitions: number): Promise<number> {
    return this.administer(async (admin) => {
      let count = await countPartitions(admin, topic);
      if (count === 0) {
        // False when another node was first: then its partitions are looked up below.
        await admin.createTopics({
          waitForLeaders: true,
          topics: [{ topic, numPartitions: partitions }],
        });
        count = await countPartitions(admin, topic);
      }
      if (count < partitions) {
        await admin.createPartitions({ topicPartitions: [{ topic, count: partitions }] });
        count = await countPartitions(admin, topic);
      }
      return Math.max(count, partitions);
    });
  }

  partitionsOf(topic: string): Promise<number> {
    return this.administer((admin) => countPartitions(admin, topic));
  }

  async append(topic: string, acks: Acks, messages: readonly OutgoingMessage[]): Promise<void> {
    const producer = await this.producer(acks);
    try {
      const sent: RecordMetadata[] = await producer.send({
        topic,
        acks: ACKS[acks],
        messages: messages.map(({ key, value, partition, headers }) => ({
          key,
          value,
          partition,
          headers: headers as IHeaders | undefined,
        })),
      });
      const failed = sent.find(({ errorCode }) => errorCode > 0);
      if (failed) throw new Error(`broker error ${failed.errorCode}`);
    } catch (error) {
      // An idempotent producer is of no use after a failure: its sequence may have a hole.
      this.producers.delete(acks);
      void producer.disconnect().catch(() => undefined);
      throw new UnavailableError('log', `Kafka did not take the messages of ${topic}`, error);
    }
  }

  async endOffsets(topic: string): Promise<number[]> {
    const offsets = await this.administer((admin) => admin.fetchTopicOffsets(topic));
    return byPartition(offsets.map(({ partition, high }) => [partition, Number(high)]));
  }

  async committedOffsets(group: string, topic: string): Promise<number[]> {
    const [committed] = await this.administer((admin) =>
      admin.fetchOffsets({ groupId: group, topics: [topic] }),
    );
    return byPartition(
      (committed?.partitions ?? []).map(({ partition, offset }) => [
        partition,
        Math.max(0, Number(offset)),
      ]),
    );
  }

  async rewind(group: string, topic: string, offsets: readonly number[]): Promise<void> {
    await this.administer((admin) =>
      admin.setOffsets({
        groupId: group,
        topic,
        partitions: offsets.map((offset, partition) => ({ partition, offset: String(offset) })),
      }),
    );
  }

  async read(
    topic: string,
    partition: number,
    offset: number,
    limit: number,
  ): Promise<RawMessage[]> {
    const end = (await this.endOffsets(topic))[partition] ?? 0;
    const lowest = await this.administer((admin) => admin.fetchTopicOffsets(topic));
    const low = Number(lowest.find((each) => each.partition === partition)?.low ?? 0);
    const from = Math.max(offset, low);
    const wanted = Math.min(limit, end - from);
    if (wanted <= 0) return [];
    const consumer = this.kafka.consumer({
      groupId: `webook-reader-${process.pid}-${Date.now()}-${Math.random().toString(36).slice(2)}`,
      maxWaitTimeInMs: 100,
    });
    const messages: RawMessage[] = [];
    let deadline: NodeJS.Timeout | undefined;
    try {
      await consumer.connect();
      await consumer.subscribe({ topics: [topic], fromBeginning: true });
      await new Promise<void>((resolve, reject) => {
        deadline = setTimeout(
          () => reject(new Error(`no ${wanted} messages in ${READ_TIMEOUT} ms`)),
          READ_TIMEOUT,
        );
        // KafkaJS starts again by itself after errors that pass, such as a new coordinator's.
        consumer.on(consumer.events.CRASH, ({ payload }) => {
          if (!payload.restart) reject(payload.error);
        });
        consumer
          .run({
            autoCommit: false,
            eachMessage: ({ partition: from_, message }) => {
              if (from_ === partition && Number(message.offset) >= from && messages.length < wanted)
                messages.push(rawMessage(partition, message));
              if (messages.length >= wanted) resolve();
              return Promise.resolve();
            },
          })
          .then(() => consumer.seek({ topic, partition, offset: String(from) }))
          .catch(reject);
      });
      return messages;
    } catch (error) {
      throw new UnavailableError('log', `Kafka did not give the messages of ${topic}`, error);
    } finally {
      clearTimeout(deadline);
      await consumer.disconnect();
    }
  }

  async consume(options: ConsumeOptions, handler: PartitionHandler): Promise<RunningConsumer> {
    const consumer = new KafkaConsumer(this.kafka, options, handler);
    await consumer.start();
    this.consumers.add(consumer);
    return {
      stop: async () => {
        this.consumers.delete(consumer);
        await consumer.stop();
      },
    };
  }

  async check(): Promise<void> {
    await this.administer((admin) => admin.describeCluster());
  }

  async close(): Promise<void> {
    await Promise.all([...this.consumers].map((consumer) => consumer.stop()));
    const clients = [...this.producers.values(), ...(this.admin ? [this.admin] : [])];
    await Promise.allSettled(clients.map(async (client) => (await client).disconnect()));
  }

  private async administer<T>(work: (admin: Admin) => Promise<T>): Promise<T> {
    try {
      this.admin ??= connected(this.kafka.admin());
      return await work(await this.admin);
    } catch (error) {
      const broken = this.admin;
      this.admin = undefined;
      void broken?.then((admin) => admin.disconnect()).catch(() => undefined);
      throw new UnavailableError('log', `Kafka: ${(error as Error).message}`, error);
    }
  }

  private async producer(acks: Acks): Promise<Producer> {
    let producer = this.producers.get(acks);
    if (!producer) {
      producer = connected(
        this.kafka.producer({
          allowAutoTopicCreation: false,
          // Not asked: every message comes with its partition.
          createPartitioner: Partitioners.DefaultPartitioner,
          idempotent: acks === 'all',
          maxInFlightRequests: 1,
          retry: { retries: 5, initialRetryTime: 50, maxRetryTime: 500 },
        }),
      );
      this.producers.set(acks, producer);
    }
    try {
      return await producer;
    } catch (error) {
      this.producers.delete(acks);
      throw new UnavailableError('log', `Kafka: ${(error as Error).message}`, error);
    }
  }
}

async function connected<Client extends { connect(): Promise<void> }>(
  client: Client,
): Promise<Client> {
  await client.connect();
  return client;
}

async function countPartitions(admin: Admin, topic: string): Promise<number> {
  const topics = await admin.listTopics();
  if (!topics.includes(topic)) return 0;
  const metadata = await admin.fetchTopicMetadata({ topics: [topic] });
  return metadata.topics[0]?.partitions.length ?? 0;
}

function byPartition(entries: (readonly [number, number])[]): number[] {
  const offsets: number[] = [];
  for (const [partition, offset] of entries) offsets[partition] = offset;
  return Array.from(offsets, (offset) => offset ?? 0);
}
