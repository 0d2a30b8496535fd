import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import { Redis } from 'ioredis';
import { RedisScript } from '../../platform/redis';
import type { ConsumeOptions, PartitionHandler, RunningConsumer } from '../event-log';
import { PartitionWorker } from '../partition-worker';
import { messagesOf, type StreamEntry } from './entry';
import { FetchSize } from './fetch-size';
import { LOG_ID_KEY, membersKey, newLogId, partitionsKey, streamKeys } from './stream-keys';

/** Milliseconds between two looks at who the members are. */
const TICK = 1_000;
/** Milliseconds after which a silent member has lost its partitions. */
export const LEASE = 6_000;
/** Milliseconds that a read waits for messages; while a worker is full, whose partition it leaves out. */
const BLOCK = 1_000;
const BRIEF_BLOCK = 10;
/** A connection that answers nothing for so long beyond BLOCK is half open: made anew. */
const WATCHDOG = 5_000;
/** Entries of a partition that stay for replays after every group has read them, and their bytes. */
const RETAINED = 1_000_000;
const RETAINED_BYTES = 256_000_000;
/** Entries of a partition that are read at once, at most. */
const FETCH = 2_000;

interface OwnedPartition {
  readonly worker: PartitionWorker;
  /** The offset to fetch next. */
  position: number;
}

/**
 * One member of a group on Redis Streams. Members see each other in a sorted set and divide the
 * partitions by it; a lease keeps two from reading one partition meanwhile. All owned partitions
 * are read by one blocking call on a connection of their own.
 */
export class StreamsConsumer implements RunningConsumer {
  private readonly logger = new Logger('Streams');
  private readonly member = `${hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`;
  private readonly reader: Redis;
  private readonly commitScript = new RedisScript<number>(join(__dirname, 'lua/commit.lua'));
  private readonly leaseScript = new RedisScript<number>(join(__dirname, 'lua/lease.lua'));
  private readonly releaseScript = new RedisScript<number>(join(__dirname, 'lua/release.lua'));
  private readonly fetchSize: FetchSize;
  private readonly owned = new Map<number, OwnedPartition>();
  private stopping = false;
  private readonly sleepers = new Set<() => void>();
  private loops: Promise<unknown> = Promise.resolve();
  private lastRenewal = 0;
  private logId: string | null = null;
  private partitions = 0;

  constructor(
    private readonly redis: Redis,
    url: string,
    private readonly options: ConsumeOptions,
    private readonly handler: PartitionHandler,
  ) {
    this.fetchSize = new FetchSize(Math.max(FETCH, options.size));
    this.reader = new Redis(url, {
      maxRetriesPerRequest: null,
      connectTimeout: 2_000,
      retryStrategy: (attempt) => Math.min(attempt * 100, 1_000),
    });
    this.reader.on('error', () => undefined);
  }

  async start(): Promise<void> {
    await this.tick();
    this.loops = Promise.all([this.tickLoop(), this.readLoop()]);
  }

  async stop(): Promise<void> {
    if (this.stopping) return;
    this.stopping = true;
    this.wake();
    await Promise.all([...this.owned.values()].map(({ worker }) => worker.stop()));
    this.reader.disconnect();
    await this.loops;
    await this.leave().catch((error: unknown) => this.logger.debug(`leave: ${String(error)}`));
  }

  private async tickLoop(): Promise<void> {
    while (!this.stopping) {
      await this.pause(TICK);
      if (this.stopping) return;
      try {
        await this.tick();
      } catch (error) {
        this.logger.debug(`${this.options.group}: ${String(error)}`);
        // Redis away for longer than a lease lasts: the partitions may be another's by now.
        if (Date.now() - this.lastRenewal > LEASE) await this.drop([...this.owned.keys()]);
      }
    }
  }

  /** Tells that this member lives, and takes and gives partitions so that each member has its share. */
  private async tick(): Promise<void> {
    const { topic, group } = this.options;
    const key = membersKey(topic, group);
    const now = Date.now();
    const answers = await this.redis
      .multi()
      .zadd(key, now, this.member)
      .zremrangebyscore(key, '-inf', now - LEASE)
      .zrange(key, 0, -1)
      .get(partitionsKey(topic))
      .set(LOG_ID_KEY, newLogId(), 'NX')
      .get(LOG_ID_KEY)
      .exec();
    const members = ((answers?.[2]?.[1] ?? []) as string[]).sort();
    await this.countPartitions(answers?.[3]?.[1] as string | null);
    await this.noticeNewLog(answers?.[5]?.[1] as string | null);
    const mine = members.indexOf(this.member);
    const wanted = new Set<number>();
    for (let p = 0; p < this.partitions; p++) if (p % members.length === mine) wanted.add(p);

    const unwanted = [...this.owned.keys()].filter((partition) => !wanted.has(partition));
    await this.drop(unwanted);
    await Promise.all(unwanted.map((partition) => this.release(partition)));
    for (const partition of wanted) await this.hold(partition);
    this.lastRenewal = now;
    if (this.owned.size > 0) this.wake();
  }

  /** A Redis that lost its data is told again; the program provisions topics at boot only. */
  private async countPartitions(stored: string | null): Promise<void> {
    if (stored !== null) this.partitions = Number(stored);
    else if (this.partitions > 0)
      await this.redis.set(partitionsKey(this.options.topic), this.partitions, 'NX');
  }

  /** When Redis has lost its data, every offset is another message's now. */
  private async noticeNewLog(id: string | null): Promise<void> {
    if (this.logId && id !== this.logId) {
      this.logger.warn(`${this.options.topic} was made anew: ${this.options.group} starts over`);
      await this.drop([...this.owned.keys()]);
    }
    this.logId = id;
  }

  /** Takes the partition or prolongs its lease, and notices when its log was made anew. */
  private async hold(partition: number): Promise<void> {
    const { topic, group } = this.options;
    const { lease, next, groups } = streamKeys(topic, partition);
    const isMine = await this.leaseScript.run(
      this.redis,
      [lease(group), groups],
      [this.member, LEASE, group],
    );
    if (isMine === 0) return this.drop([partition]);
    const owned = this.owned.get(partition);
    if (!owned) {
      const position = Number((await this.redis.hget(groups, group)) ?? 0);
      this.own(partition, position);
      return;
    }
    // Before the end is asked for: what is read meanwhile may move the position beyond it.
    const { position } = owned;
    const end = Number((await this.redis.get(next)) ?? 0);
    if (end >= position) return;
    this.logger.warn(
      `${topic}/${partition} has lost its end: it is ${end}, and group ${group} stood at ${position}`,
    );
    await this.drop([partition]);
    // What was fetched but not handled yet comes again.
    const committed = Number((await this.redis.hget(groups, group)) ?? 0);
    this.own(partition, Math.min(committed, end));
  }

  private own(partition: number, position: number): void {
    // A tick that was under way when the stop began: nobody would end the worker.
    if (this.stopping) return;
    const { topic, size, lingerMs } = this.options;
    const worker = new PartitionWorker({
      size,
      lingerMs,
      start: async (stopping) => {
        await this.handler.onStart(topic, partition, stopping);
        // It asked for the log's id, perhaps after what waits here was read from the log before.
        if ((await this.redis.get(LOG_ID_KEY)) !== this.logId)
          throw new Error(`${topic} was made anew`);
      },
      handle: (messages, stopping) => this.handler.onMessages(topic, messages, stopping),
      commit: (offset) => this.commit(partition, offset),
    });
    this.owned.set(partition, { worker, position });
  }

  private async drop(partitions: readonly number[]): Promise<void> {
    await Promise.all(
      partitions.map(async (partition) => {
        const owned = this.owned.get(partition);
        this.owned.delete(partition);
        await owned?.worker.stop();
      }),
    );
  }

  /** Not taken while Redis is away or the lease is lost: another member may handle it all again. */
  private async commit(partition: number, offset: number): Promise<boolean> {
    const { topic, group } = this.options;
    const { lease, groups, stream } = streamKeys(topic, partition);
    try {
      const moved = await this.commitScript.run(
        this.redis,
        [lease(group), groups, stream],
        [this.member, group, offset, RETAINED, RETAINED_BYTES],
      );
      return moved === 1;
    } catch (error) {
      this.logger.debug(`${group} could not commit ${topic}/${partition}: ${String(error)}`);
      return false;
    }
  }

  private async readLoop(): Promise<void> {
    while (!this.stopping) {
      const readable = [...this.owned].filter(([, { worker }]) => !worker.isFull);
      if (readable.length === 0) {
        const rooms = [...this.owned.values()].map(({ worker }) => worker.room());
        await Promise.race([this.pause(TICK), ...rooms]);
        continue;
      }
      try {
        await this.read(readable);
      } catch (error) {
        if (this.stopping) return;
        this.logger.debug(`${this.options.group} could not read: ${String(error)}`);
        await this.pause(200);
      }
    }
  }

  private async read(readable: readonly [number, OwnedPartition][]): Promise<void> {
    const { topic } = this.options;
    const partitionOfStream = new Map(
      readable.map(([partition]) => [streamKeys(topic, partition).stream, partition]),
    );
    const block = readable.length < this.owned.size ? BRIEF_BLOCK : BLOCK;
    // Ids are "<last offset>-1", and XREAD gives those behind the one that it gets: "<offset>-0".
    const starts = readable.map(([, { position }]) => `${position}-0`);
    const answer = await this.withWatchdog(
      this.reader.callBuffer(
        'XREAD',
        'COUNT',
        this.fetchSize.count,
        'BLOCK',
        block,
        'STREAMS',
        ...partitionOfStream.keys(),
        ...starts,
      ) as Promise<[Buffer, StreamEntry[]][] | null>,
    );
    // That nothing came does not tell how large messages are.
    if (answer === null) return;
    let most = 0;
    let bytes = 0;
    for (const [stream, entries] of answer) {
      most = Math.max(most, entries.length);
      const partition = partitionOfStream.get(stream.toString()) as number;
      const asked = readable.find(([each]) => each === partition)?.[1];
      const owned = this.owned.get(partition);
      // Given away, or begun anew, while the answer was under way.
      if (!owned || owned !== asked) continue;
      // The first entry may begin before the position, with messages that were read already.
      const messages = entries
        .flatMap((entry) => messagesOf(partition, entry))
        .filter(({ offset }) => offset >= owned.position);
      for (const { value } of messages) bytes += value.length;
      const last = messages.at(-1);
      if (!last) continue;
      owned.position = last.offset + 1;
      // Not awaited: the next read leaves out partitions whose worker is full.
      void owned.worker.push(messages);
    }
    this.fetchSize.observe(most, bytes);
  }

  private async withWatchdog<T>(answer: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const silence = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        this.reader.disconnect(true);
        reject(new Error('the connection answers nothing'));
      }, BLOCK + WATCHDOG);
    });
    answer.catch(() => undefined);
    try {
      return await Promise.race([answer, silence]);
    } finally {
      clearTimeout(timer);
    }
  }

  private async release(partition: number): Promise<void> {
    const { topic, group } = this.options;
    await this.releaseScript.run(
      this.redis,
      [streamKeys(topic, partition).lease(group)],
      [this.member],
    );
  }

  private async leave(): Promise<void> {
    const { topic, group } = this.options;
    const partitions = [...this.owned.keys()];
    this.owned.clear();
    await Promise.all(partitions.map((partition) => this.release(partition)));
    await this.redis.zrem(membersKey(topic, group), this.member);
  }

  /** Waits, unless something happens meanwhile that makes looking again worth while. */
  private pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.sleepers.delete(done);
        resolve();
      };
      const timer = setTimeout(done, milliseconds);
      this.sleepers.add(done);
    });
  }

  private wake(): void {
    for (const done of this.sleepers) done();
  }
}
