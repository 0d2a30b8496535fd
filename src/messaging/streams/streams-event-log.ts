import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { type ChainableCommander, Redis } from 'ioredis';
import { UnavailableError } from '../../platform/errors';
import { RedisScript } from '../../platform/redis';
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
import { messagesOf, pack, type StreamEntry } from './entry';
import { ForeignEntries } from './foreign-entries';
import { answersOf } from './answers';
import { LOG_ID_KEY, membersKey, newLogId, partitionsKey, streamKeys } from './stream-keys';
import { LEASE_MS, StreamsConsumer } from './streams-consumer';

/** Size of one call of the append script; larger appends take several calls. */
const APPEND_BYTES = 4_000_000;

/** How often an append is tried while other programs add entries. */
const APPEND_ATTEMPTS = 5;

/** The event log on Redis Streams: one stream per partition; a script assigns rising offsets. */
export class StreamsEventLog extends EventLog {
  override readonly idChangesWithContent = true;
  private readonly appendScript = new RedisScript<number>(join(__dirname, 'lua/append.lua'));
  private readonly consumers = new Set<StreamsConsumer>();
  private readonly redis: Redis;
  private readonly foreign: ForeignEntries;
  /** Distinguishes the appends of this instance from those of any other. */
  private readonly producer = randomUUID();
  private appends = 0;
  /** By stream, a promise that resolves when the appends so far have ended. */
  private readonly appending = new Map<string, Promise<void>>();

  constructor(private readonly url: string) {
    super();
    this.redis = new Redis(url, {
      maxRetriesPerRequest: 1,
      connectTimeout: 2_000,
      commandTimeout: 5_000,
      retryStrategy: (attempt) => Math.min(attempt * 100, 1_000),
    });
    // Every command that fails reports the error. Without a listener, ioredis prints each attempt.
    this.redis.on('error', () => undefined);
    this.foreign = new ForeignEntries(this.redis);
  }

  id(): Promise<string> {
    return this.reach(async () => {
      await this.redis.set(LOG_ID_KEY, newLogId(), 'NX');
      return (await this.redis.get(LOG_ID_KEY)) ?? '';
    });
  }

  ensureTopic(topic: string, partitions: number): Promise<number> {
    return this.reach(async () => {
      const key = partitionsKey(topic);
      const present = Number((await this.redis.get(key)) ?? 0);
      if (present >= partitions) return present;
      await this.redis.set(key, partitions);
      return partitions;
    });
  }

  partitionsOf(topic: string): Promise<number> {
    return this.reach(async () => Number((await this.redis.get(partitionsKey(topic))) ?? 0));
  }

  /** Redis has only one kind of acknowledgement, so `acks` makes no difference. */
  append(topic: string, _acks: Acks, messages: readonly OutgoingMessage[]): Promise<void> {
    return this.reach(async () => {
      const byPartition = Map.groupBy(messages, (message) => message.partition);
      await Promise.all(
        [...byPartition].map(([partition, part]) => this.appendTo(topic, partition, part)),
      );
    });
  }

  endOffsets(topic: string): Promise<number[]> {
    return this.perPartition(topic, (pipeline, partition) =>
      pipeline.get(streamKeys(topic, partition).next),
    );
  }

  committedOffsets(group: string, topic: string): Promise<number[]> {
    return this.perPartition(topic, (pipeline, partition) =>
      pipeline.hget(streamKeys(topic, partition).groups, group),
    );
  }

  /** Does not count the offsets that were left out when another Redis process took over. */
  override async lag(group: string, topic: string): Promise<number[]> {
    const [differences, committed] = await Promise.all([
      super.lag(group, topic),
      this.committedOffsets(group, topic),
    ]);
    return this.reach(() =>
      Promise.all(
        differences.map(async (difference, partition) => {
          const from = committed[partition] ?? 0;
          const gaps = await this.redis.hgetall(streamKeys(topic, partition).gaps);
          const leftOut = Object.entries(gaps).map(([first, next]) =>
            Math.max(0, Number(next) - Math.max(from, Number(first))),
          );
          return Math.max(0, difference - leftOut.reduce((sum, each) => sum + each, 0));
        }),
      ),
    );
  }

  override newest(topic: string, partition: number, limit: number): Promise<RawMessage[]> {
    return this.reach(async () => {
      const { stream } = streamKeys(topic, partition);
      const entries = await this.redis.callBuffer('XREVRANGE', stream, '+', '-', 'COUNT', limit);
      return (entries as StreamEntry[])
        .reverse()
        .flatMap((entry) => messagesOf(partition, entry))
        .slice(-limit);
    });
  }

  rewind(group: string, topic: string, offsets: readonly number[]): Promise<void> {
    return this.reach(async () => {
      await this.refuseMembers(group, topic);
      const pipeline = this.redis.pipeline();
      offsets.forEach((offset, partition) =>
        pipeline.hset(streamKeys(topic, partition).groups, group, offset),
      );
      answersOf(await pipeline.exec());
    });
  }

  forget(group: string, topic: string): Promise<void> {
    return this.reach(async () => {
      await this.refuseMembers(group, topic);
      const pipeline = this.redis.pipeline().del(membersKey(topic, group));
      const partitions = Number((await this.redis.get(partitionsKey(topic))) ?? 0);
      for (let partition = 0; partition < partitions; partition++)
        pipeline.hdel(streamKeys(topic, partition).groups, group);
      answersOf(await pipeline.exec());
    });
  }

  read(topic: string, partition: number, offset: number, limit: number): Promise<RawMessage[]> {
    return this.reach(async () => {
      const entries = (await this.redis.callBuffer(
        'XRANGE',
        streamKeys(topic, partition).stream,
        `${offset}-0`,
        '+',
        'COUNT',
        limit,
      )) as StreamEntry[];
      // The first entry may begin before the offset, and the last may end after the limit.
      return entries
        .flatMap((entry) => messagesOf(partition, entry))
        .filter((message) => message.offset >= offset)
        .slice(0, limit);
    });
  }

  async consume(options: ConsumeOptions, handler: PartitionHandler): Promise<RunningConsumer> {
    const consumer = new StreamsConsumer(this.redis, this.url, options, handler);
    try {
      await consumer.start();
    } catch (error) {
      await consumer.stop();
      throw error;
    }
    this.consumers.add(consumer);
    return {
      stop: async () => {
        this.consumers.delete(consumer);
        await consumer.stop();
      },
    };
  }

  async check(): Promise<void> {
    await this.reach(() => this.redis.ping());
  }

  async close(): Promise<void> {
    await Promise.all([...this.consumers].map((consumer) => consumer.stop()));
    this.redis.disconnect();
  }

  /** Waits for the running appends to the partition: their numbers must arrive rising. */
  private appendTo(
    topic: string,
    partition: number,
    messages: readonly OutgoingMessage[],
  ): Promise<void> {
    const { stream } = streamKeys(topic, partition);
    const appended = (this.appending.get(stream) ?? Promise.resolve()).then(async () => {
      for (const values of slices(messages)) await this.appendSlice(topic, partition, values);
    });
    this.appending.set(
      stream,
      appended.catch(() => undefined),
    );
    return appended;
  }

  private async appendSlice(
    topic: string,
    partition: number,
    values: readonly (number | Buffer)[],
  ): Promise<void> {
    const { stream, next, run, gaps, producer } = streamKeys(topic, partition);
    const keys = [stream, next, run, gaps, producer(this.producer)];
    const number = ++this.appends;
    for (let attempt = 1; attempt <= APPEND_ATTEMPTS; attempt++) {
      const result = await this.appendScript.run(this.redis, keys, [number, ...values]);
      if (result >= 0) return;
      await this.foreign.settle(topic, partition);
    }
    throw new Error(`${stream} takes no entries, since another program adds some`);
  }

  private async perPartition(
    topic: string,
    ask: (pipeline: ChainableCommander, partition: number) => unknown,
  ): Promise<number[]> {
    const partitions = await this.partitionsOf(topic);
    return this.reach(async () => {
      const pipeline = this.redis.pipeline();
      for (let partition = 0; partition < partitions; partition++) ask(pipeline, partition);
      return answersOf(await pipeline.exec()).map((value) => Number(value ?? 0));
    });
  }

  private async refuseMembers(group: string, topic: string): Promise<void> {
    if ((await this.redis.zcount(membersKey(topic, group), Date.now() - LEASE_MS, '+inf')) > 0)
      throw new GroupHasMembersError(group);
  }

  private async reach<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof GroupHasMembersError) throw error;
      throw new UnavailableError('log', `Redis Streams: ${(error as Error).message}`, error);
    }
  }
}

/** Divides the script's arguments into calls of limited size. */
function* slices(messages: readonly OutgoingMessage[]): Generator<(number | Buffer)[]> {
  let values: (number | Buffer)[] = [];
  let bytes = 0;
  for (const packed of pack(messages)) {
    values.push(packed.count, packed.bytes);
    bytes += packed.bytes.length;
    if (bytes > APPEND_BYTES) {
      yield values;
      values = [];
      bytes = 0;
    }
  }
  if (values.length > 0) yield values;
}
