import { Logger } from '@nestjs/common';
import {
  type Admin,
  CompressionCodecs,
  CompressionTypes,
  ConfigResourceTypes,
  ConfigSource,
  type IResourceConfigEntry,
  Kafka,
  KafkaJSDeleteGroupsError,
  KafkaJSProtocolError,
  logLevel,
  type Producer,
} from 'kafkajs';
import { UnavailableError } from '../../platform/errors';
import { withTimeout } from '../../platform/timing';
import {
  type ConsumeOptions,
  EventLog,
  type OutgoingMessage,
  type PartitionHandler,
  type RawMessage,
  type RunningConsumer,
} from '../event-log';
import { GroupHasMembersError } from '../group-has-members.error';
import type { Acks } from '../topic';
import { KafkaConsumer } from './kafka-consumer';
import { PartitionLeaders } from './partition-leaders';
import { rawMessage } from './raw-message';
import { SharedClient } from './shared-client';
import { zstd } from './zstd';

CompressionCodecs[CompressionTypes.ZSTD] = () => zstd;

const ACKS: Record<Acks, number> = { all: -1, leader: 1, none: 0 };
/** Enough for a new group to form on a busy broker. */
const READ_TIMEOUT_MS = 20_000;
/** Not logged: a failed append is followed by a new producer, so no guarantee is broken. */
const IDEMPOTENCE_WARNING = 'Limiting retries for the idempotent producer';
/**
 * Size of one send. KafkaJS makes it one record batch per partition, and brokers take batches of
 * 1,048,588 bytes by default.
 */
const SEND_BYTES = 900_000;
/** A record takes at most this many bytes besides its key, value and headers. */
const RECORD_OVERHEAD_BYTES = 64;
/**
 * Producers in other languages compress in ways that KafkaJS cannot read, so the broker must
 * decompress. Messages that arrive uncompressed, as from this program and Canal, cost it nothing.
 */
const UNCOMPRESSED: IResourceConfigEntry = { name: 'compression.type', value: 'uncompressed' };

const OFFSET_ATTEMPTS = 5;

/** The event log on Apache Kafka, through KafkaJS. */
export class KafkaEventLog extends EventLog {
  /** The id is that of the cluster: KafkaJS does not know the ids of topics. */
  override readonly idChangesWithContent = false;
  private readonly logger = new Logger('Kafka');
  private readonly kafka: Kafka;
  private readonly admin = new SharedClient(() => this.kafka.admin());
  private readonly producers: Readonly<Record<Acks, SharedClient<Producer>>> = {
    all: new SharedClient(() => this.createProducer(true)),
    leader: new SharedClient(() => this.createProducer(false)),
    none: new SharedClient(() => this.createProducer(false)),
  };
  private readonly leaders = new PartitionLeaders();
  private readonly consumers = new Set<KafkaConsumer>();

  /** @param brokers host:port of the brokers to connect to first */
  constructor(brokers: readonly string[]) {
    super();
    this.kafka = new Kafka({
      clientId: 'webook',
      brokers: [...brokers],
      connectionTimeout: 2_000,
      requestTimeout: 5_000,
      retry: { retries: 2, initialRetryTime: 100, maxRetryTime: 1_000 },
      logLevel: logLevel.WARN,
      // KafkaJS logs ERROR also before it retries. An error that remains is reported by the caller.
      logCreator:
        () =>
        ({ level, log }) => {
          if (log.message.startsWith(IDEMPOTENCE_WARNING)) return;
          const text = `${log.message}${log.error ? `: ${String(log.error)}` : ''}`;
          if (level === logLevel.WARN) this.logger.warn(text);
          else this.logger.debug(text);
        },
    });
  }

  async id(): Promise<string> {
    return this.administer(async (admin) => `kafka:${(await admin.describeCluster()).clusterId}`);
  }

  async ensureTopic(topic: string, partitions: number, maxBytes?: number): Promise<number> {
    const settings = [UNCOMPRESSED];
    if (maxBytes !== undefined)
      settings.push({ name: 'max.message.bytes', value: String(maxBytes) });
    return this.administer(async (admin) => {
      let count = await countPartitions(admin, topic);
      let isNew = false;
      if (count === 0) {
        // False when another instance was first.
        isNew = await admin.createTopics({
          waitForLeaders: true,
          topics: [{ topic, numPartitions: partitions, configEntries: settings }],
        });
        count = await countPartitions(admin, topic);
      }
      if (count < partitions) {
        await admin.createPartitions({ topicPartitions: [{ topic, count: partitions }] });
        count = await countPartitions(admin, topic);
      }
      if (!isNew) await this.adjust(admin, topic, settings);
      // A broker that has just started gives a producer its id seconds later: publishing needs it.
      await this.producers.all.use(() => Promise.resolve());
      return Math.max(count, partitions);
    });
  }

  partitionsOf(topic: string): Promise<number> {
    return this.administer((admin) => countPartitions(admin, topic));
  }

  async append(topic: string, acks: Acks, messages: readonly OutgoingMessage[]): Promise<void> {
    try {
      await this.producers[acks].use(async (producer) => {
        for (const part of slices(messages))
          await this.leaders.send(producer, topic, ACKS[acks], part);
      });
    } catch (error) {
      throw new UnavailableError('log', `Kafka did not take the messages of ${topic}`, error);
    }
  }

  async endOffsets(topic: string): Promise<number[]> {
    const offsets = await this.offsetsOf(topic);
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

  /** Counts from the log's start when that is above the group's offset: the rest is deleted. */
  override async lag(group: string, topic: string): Promise<number[]> {
    const [bounds, committed] = await Promise.all([
      this.offsetsOf(topic),
      this.committedOffsets(group, topic),
    ]);
    return byPartition(
      bounds.map(({ partition, low, high }) => [
        partition,
        Math.max(0, Number(high) - Math.max(Number(low), committed[partition] ?? 0)),
      ]),
    );
  }

  async rewind(group: string, topic: string, offsets: readonly number[]): Promise<void> {
    const partitions = offsets.map((offset, partition) => ({ partition, offset: String(offset) }));
    await this.administer(async (admin) => {
      try {
        await admin.setOffsets({ groupId: group, topic, partitions });
      } catch (error) {
        const hasMembers = /must have no running instances/.test((error as Error).message);
        throw hasMembers ? new GroupHasMembersError(group) : error;
      }
    });
  }

  /** Removes the group for every topic: Kafka knows groups only as a whole. */
  async forget(group: string): Promise<void> {
    await this.administer(async (admin) => {
      try {
        await admin.deleteGroups([group]);
      } catch (error) {
        if (!(error instanceof KafkaJSDeleteGroupsError)) throw error;
        const type = error.groups?.[0]?.error?.type;
        if (type === 'NON_EMPTY_GROUP') throw new GroupHasMembersError(group);
        if (type !== 'GROUP_ID_NOT_FOUND') throw error;
      }
    });
  }

  async read(
    topic: string,
    partition: number,
    offset: number,
    limit: number,
  ): Promise<RawMessage[]> {
    const offsets = await this.offsetsOf(topic);
    const bounds = offsets.find((each) => each.partition === partition);
    const from = Math.max(offset, Number(bounds?.low ?? 0));
    const wanted = Math.min(limit, Number(bounds?.high ?? 0) - from);
    if (wanted <= 0) return [];
    const consumer = this.kafka.consumer({
      groupId: `webook-reader-${process.pid}-${Date.now()}-${Math.random().toString(36).slice(2)}`,
      maxWaitTimeInMs: 100,
    });
    const messages: RawMessage[] = [];
    let next = from;
    try {
      await consumer.connect();
      await consumer.subscribe({ topics: [topic], fromBeginning: true });
      const isRead = new Promise<void>((resolve, reject) => {
        // KafkaJS joins again by itself after transient errors, e.g. when the coordinator changes.
        consumer.on(consumer.events.GROUP_JOIN, () =>
          consumer.seek({ topic, partition, offset: String(next) }),
        );
        consumer.on(consumer.events.CRASH, ({ payload }) => {
          if (!payload.restart) reject(payload.error);
        });
        consumer
          .run({
            autoCommit: false,
            eachMessage: ({ partition: from_, message }) => {
              const offset = Number(message.offset);
              if (from_ === partition && offset >= next && messages.length < wanted) {
                messages.push(rawMessage(partition, message));
                next = offset + 1;
              }
              if (messages.length >= wanted) resolve();
              return Promise.resolve();
            },
          })
          .catch(reject);
      });
      await withTimeout(
        READ_TIMEOUT_MS,
        isRead,
        () => new Error(`no ${wanted} messages within ${READ_TIMEOUT_MS} ms`),
      );
      return messages;
    } catch (error) {
      throw new UnavailableError('log', `Kafka did not return the messages of ${topic}`, error);
    } finally {
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
    for (const { fault } of this.consumers) if (fault) throw fault;
    await this.administer((admin) => admin.describeCluster());
  }

  async close(): Promise<void> {
    await Promise.all([...this.consumers].map((consumer) => consumer.stop()));
    const clients = [this.admin, ...Object.values(this.producers)];
    await Promise.all(clients.map((client) => client.close()));
  }

  /**
   * KafkaJS's admin keeps the partitions of the last requested topics only. A concurrent call can
   * replace them, and then this one fails with a TypeError. The next attempt uses a new admin.
   */
  private async offsetsOf(topic: string): ReturnType<Admin['fetchTopicOffsets']> {
    for (let attempt = 1; ; attempt++)
      try {
        return await this.administer((admin) => admin.fetchTopicOffsets(topic));
      } catch (error) {
        const { cause } = error as { cause?: unknown };
        if (!(cause instanceof TypeError) || attempt === OFFSET_ATTEMPTS) throw error;
      }
  }

  private async administer<T>(work: (admin: Admin) => Promise<T>): Promise<T> {
    try {
      return await this.admin.use(work);
    } catch (error) {
      if (error instanceof GroupHasMembersError) throw error;
      throw new UnavailableError('log', `Kafka: ${(error as Error).message}`, error);
    }
  }

  /** Sets what is needed on a topic that another program or an earlier version has created. */
  private async adjust(
    admin: Admin,
    topic: string,
    settings: readonly IResourceConfigEntry[],
  ): Promise<void> {
    const resource = { type: ConfigResourceTypes.TOPIC, name: topic };
    try {
      const { resources } = await admin.describeConfigs({
        includeSynonyms: false,
        resources: [resource],
      });
      // The request replaces all of the topic's own settings, so it must contain the others too.
      const own = new Map(
        (resources[0]?.configEntries ?? [])
          .filter(({ configSource }) => configSource === ConfigSource.TOPIC_CONFIG)
          .map(({ configName, configValue }) => [configName, configValue]),
      );
      if (settings.every(({ name, value }) => own.get(name) === value)) return;
      for (const { name, value } of settings) own.set(name, value);
      const configEntries = [...own].map(([name, value]) => ({ name, value }));
      await admin.alterConfigs({
        validateOnly: false,
        resources: [{ ...resource, configEntries }],
      });
    } catch (error) {
      // E.g. no right to change a topic of another owner: most messages can be read nevertheless.
      if (!(error instanceof KafkaJSProtocolError)) throw error;
      const wanted = settings.map(({ name, value }) => `${name}=${value}`).join(' ');
      this.logger.warn(`Topic ${topic} cannot be set to ${wanted}: ${error.message}`);
    }
  }

  private createProducer(idempotent: boolean): Producer {
    return this.kafka.producer({
      allowAutoTopicCreation: false,
      createPartitioner: this.leaders.partitioner,
      idempotent,
      maxInFlightRequests: 1,
      retry: { retries: 5, initialRetryTime: 50, maxRetryTime: 500 },
    });
  }
}

/** Divides the messages, in their order, into sends of limited size. */
function* slices(messages: readonly OutgoingMessage[]): Generator<OutgoingMessage[]> {
  let slice: OutgoingMessage[] = [];
  let bytes = 0;
  for (const message of messages) {
    const size = sizeOf(message);
    if (slice.length > 0 && bytes + size > SEND_BYTES) {
      yield slice;
      slice = [];
      bytes = 0;
    }
    slice.push(message);
    bytes += size;
  }
  if (slice.length > 0) yield slice;
}

function sizeOf({ key, value, headers = {} }: OutgoingMessage): number {
  let bytes = RECORD_OVERHEAD_BYTES + value.length + (key === null ? 0 : Buffer.byteLength(key));
  for (const [name, text] of Object.entries(headers))
    bytes += RECORD_OVERHEAD_BYTES + Buffer.byteLength(name) + Buffer.byteLength(text);
  return bytes;
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
