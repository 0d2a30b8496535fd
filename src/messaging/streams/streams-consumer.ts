import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import { Redis } from 'ioredis';
import { isAway } from '../../platform/errors';
import { RedisScript } from '../../platform/redis';
import { withTimeout } from '../../platform/timing';
import type { ConsumeOptions, PartitionHandler, RunningConsumer } from '../event-log';
import { PartitionWorker } from '../partition-worker';
import { answersOf } from './answers';
import { messagesOf, type StreamEntry } from './entry';
import { FetchSize } from './fetch-size';
import { ForeignEntries, OFFSET_LIMIT } from './foreign-entries';
import { LOG_ID_KEY, membersKey, newLogId, partitionsKey, streamKeys } from './stream-keys';

/** How often a member renews its leases and looks for other members. */
const MEMBERSHIP_INTERVAL_MS = 1_000;
/** A member that has not renewed its leases for this time loses its partitions. */
export const LEASE_MS = 6_000;
/** How long a read waits for messages. */
const READ_BLOCK_MS = 1_000;
/** The same while it leaves out a partition whose worker is full, and which may soon have room. */
const SHORT_READ_BLOCK_MS = 10;
/** A connection that is silent for this time beyond the block is half open: it is reconnected. */
const ANSWER_TIMEOUT_MS = 5_000;
const READ_RETRY_PAUSE_MS = 200;
/** Entries of a partition, and their size, kept for replays after every group has read them. */
const RETAINED_ENTRIES = 1_000_000;
const RETAINED_BYTES = 256_000_000;
/** At most this many entries of a partition are read at once. */
const MAX_FETCHED_ENTRIES = 2_000;

type TransactionError = Error & { readonly previousErrors?: readonly Error[] };

interface OwnedPartition {
  readonly worker: PartitionWorker;
  /** The offset to fetch next. */
  position: number;
}

/**
 * One member of a group on Redis Streams. The members register in a sorted set and divide the
 * partitions by it; a lease prevents two members from reading one partition at the same time. All
 * owned partitions are read by one blocking call on a separate connection.
 */
export class StreamsConsumer implements RunningConsumer {
  private readonly logger = new Logger('Streams');
  private readonly member = `${hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`;
  private readonly reader: Redis;
  private readonly commitScript = new RedisScript<number>(join(__dirname, 'lua/commit.lua'));
  private readonly leaseScript = new RedisScript<number>(join(__dirname, 'lua/lease.lua'));
  private readonly releaseScript = new RedisScript<number>(join(__dirname, 'lua/release.lua'));
  private readonly fetchSize: FetchSize;
  private readonly foreign: ForeignEntries;
  /** What Redis refuses this member now. */
  private readonly faults = new Map<'join' | 'read' | 'commit', Error>();
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
    this.foreign = new ForeignEntries(redis);
    this.fetchSize = new FetchSize(Math.max(MAX_FETCHED_ENTRIES, options.size));
    this.reader = new Redis(url, {
      maxRetriesPerRequest: null,
      connectTimeout: 2_000,
      retryStrategy: (attempt) => Math.min(attempt * 100, 1_000),
    });
    this.reader.on('error', () => undefined);
  }

  async start(): Promise<void> {
    await this.renewMembership();
    this.loops = Promise.all([this.membershipLoop(), this.readLoop()]);
  }

  async stop(): Promise<void> {
    if (this.stopping) return;
    this.stopping = true;
    this.wake();
    await Promise.all([...this.owned.values()].map(({ worker }) => worker.stop()));
    this.reader.disconnect();
    await this.loops;
    await this.leave().catch((error: unknown) =>
      this.logger.debug(`Group ${this.options.group} could not be left: ${String(error)}`),
    );
  }

  private async membershipLoop(): Promise<void> {
    while (!this.stopping) {
      await this.sleep(MEMBERSHIP_INTERVAL_MS);
      if (this.stopping) return;
      try {
        await this.renewMembership();
        this.recover('join');
      } catch (error) {
        this.fail('join', error);
        // Redis was away for longer than a lease lasts: other members may own the partitions now.
        if (Date.now() - this.lastRenewal > LEASE_MS) await this.drop([...this.owned.keys()]);
      }
    }
  }

  /** Renews this member's registration, and takes or releases partitions up to its share. */
  private async renewMembership(): Promise<void> {
    const { topic, group } = this.options;
    const key = membersKey(topic, group);
    const now = Date.now();
    const answers = await this.redis
      .multi()
      .zadd(key, now, this.member)
      .zremrangebyscore(key, '-inf', now - LEASE_MS)
      .zrange(key, 0, -1)
      .get(partitionsKey(topic))
      .set(LOG_ID_KEY, newLogId(), 'NX')
      .get(LOG_ID_KEY)
      .exec();
    const [, , present, partitions, , logId] = answersOf(answers);
    const members = (present as string[]).sort();
    await this.notePartitionCount(partitions as string | null);
    await this.noticeNewLog(logId as string | null);
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

  /** Restored in a Redis that lost its data: the program provisions topics only at boot. */
  private async notePartitionCount(stored: string | null): Promise<void> {
    if (stored !== null) this.partitions = Number(stored);
    else if (this.partitions > 0)
      await this.redis.set(partitionsKey(this.options.topic), this.partitions, 'NX');
  }

  /** When Redis has lost its data, every offset may belong to another message now. */
  private async noticeNewLog(id: string | null): Promise<void> {
    if (this.logId && id !== this.logId) {
      const { topic, group } = this.options;
      this.logger.warn(
        `The log of ${topic} was recreated: group ${group} starts from the beginning`,
      );
      await this.drop([...this.owned.keys()]);
    }
    this.logId = id;
  }

  /** Takes the partition or renews its lease, and detects that its log has lost messages. */
  private async hold(partition: number): Promise<void> {
    const { topic, group } = this.options;
    const { lease, next, groups } = streamKeys(topic, partition);
    const isMine = await this.leaseScript.run(
      this.redis,
      [lease(group), groups],
      [this.member, LEASE_MS, group],
    );
    if (isMine === 0) return this.drop([partition]);
    const owned = this.owned.get(partition);
    if (!owned) {
      await this.foreign.settle(topic, partition);
      const position = Number((await this.redis.hget(groups, group)) ?? 0);
      this.own(partition, position);
      return;
    }
    // Taken before the end is requested: a concurrent read may move the position past that end.
    const { position } = owned;
    const end = Number((await this.redis.get(next)) ?? 0);
    if (end >= position || (await this.foreign.settle(topic, partition))) return;
    this.logger.warn(
      `${topic}/${partition} has lost its last messages: it ends at offset ${end}, and group ${group} had read up to ${position}`,
    );
    await this.drop([partition]);
    // Messages that were fetched but not handled are delivered again.
    const committed = Number((await this.redis.hget(groups, group)) ?? 0);
    this.own(partition, Math.min(committed, end));
  }

  private own(partition: number, position: number): void {
    // Called by a renewal that was running when the stop began: nothing would stop the worker.
    if (this.stopping) return;
    const { topic, size, lingerMs } = this.options;
    const worker = new PartitionWorker({
      size,
      lingerMs,
      start: async (stopping) => {
        await this.handler.onStart(topic, partition, stopping);
        // It used the log's current id, but the queued messages may be from the previous log.
        if ((await this.redis.get(LOG_ID_KEY)) !== this.logId)
          throw new Error(`the log of ${topic} was recreated`);
      },
      handle: (messages, stopping, following) =>
        this.handler.onMessages(topic, messages, stopping, following),
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

  /** Fails without Redis or the lease: another member may handle the messages again. */
  private async commit(partition: number, offset: number): Promise<boolean> {
    const { topic, group } = this.options;
    const { lease, groups, stream } = streamKeys(topic, partition);
    try {
      const moved = await this.commitScript.run(
        this.redis,
        [lease(group), groups, stream],
        [this.member, group, offset, RETAINED_ENTRIES, RETAINED_BYTES],
      );
      this.recover('commit');
      return moved === 1;
    } catch (error) {
      this.fail('commit', error);
      return false;
    }
  }

  private async readLoop(): Promise<void> {
    while (!this.stopping) {
      const readable = [...this.owned].filter(([, { worker }]) => !worker.isFull);
      if (readable.length === 0) {
        const rooms = [...this.owned.values()].map(({ worker }) => worker.room());
        await Promise.race([this.sleep(MEMBERSHIP_INTERVAL_MS), ...rooms]);
        continue;
      }
      try {
        await this.read(readable);
        this.recover('read');
      } catch (error) {
        if (this.stopping) return;
        this.fail('read', error);
        await this.sleep(READ_RETRY_PAUSE_MS);
      }
    }
  }

  private async read(readable: readonly [number, OwnedPartition][]): Promise<void> {
    const { topic } = this.options;
    const partitionOfStream = new Map(
      readable.map(([partition]) => [streamKeys(topic, partition).stream, partition]),
    );
    const block = readable.length < this.owned.size ? SHORT_READ_BLOCK_MS : READ_BLOCK_MS;
    const starts = readable.map(([, { position }]) => idBefore(position));
    const answer = await this.orReconnect(
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
    // Without messages there is nothing to learn about their size.
    if (answer === null) return;
    let most = 0;
    let bytes = 0;
    for (const [stream, entries] of answer) {
      most = Math.max(most, entries.length);
      const partition = partitionOfStream.get(stream.toString()) as number;
      const asked = readable.find(([each]) => each === partition)?.[1];
      const owned = this.owned.get(partition);
      // Released, or started again, since the request.
      if (!owned || owned !== asked) continue;
      // The first entry may begin before the position, with messages that were already read.
      const messages = entries
        .flatMap((entry) => messagesOf(partition, entry))
        .filter(({ offset }) => offset >= owned.position);
      let mayBeForeign = false;
      for (const { value } of messages) {
        bytes += value.length;
        mayBeForeign ||= value.length === 0;
      }
      if (mayBeForeign || (messages.at(-1)?.offset ?? 0) >= OFFSET_LIMIT) {
        // Before the position moves above the partition's end.
        await this.foreign.settle(topic, partition);
        // These have lower offsets now.
        while ((messages.at(-1)?.offset ?? 0) >= OFFSET_LIMIT) messages.pop();
      }
      const last = messages.at(-1);
      if (!last) continue;
      owned.position = last.offset + 1;
      // Not awaited: the next read leaves out partitions whose worker is full.
      void owned.worker.push(messages);
    }
    this.fetchSize.observe(most, bytes);
  }

  private fail(what: 'join' | 'read' | 'commit', error: unknown): void {
    const { group, topic } = this.options;
    // A transaction's own error only says that one of its commands was refused.
    const { message, previousErrors: [refusal] = [] } = error as TransactionError;
    const fault = new Error(
      `Group ${group} cannot ${what} ${topic}: ${refusal?.message ?? message}`,
      {
        cause: error,
      },
    );
    if (!isAway(error) && this.faults.get(what)?.message !== fault.message)
      this.logger.warn(fault.message);
    else this.logger.debug(fault.message);
    this.faults.set(what, fault);
    this.handler.onFault?.(fault);
  }

  private recover(what: 'join' | 'read' | 'commit'): void {
    if (this.faults.delete(what)) this.handler.onFault?.(this.faults.values().next().value);
  }

  private orReconnect<T>(answer: Promise<T>): Promise<T> {
    return withTimeout(READ_BLOCK_MS + ANSWER_TIMEOUT_MS, answer, () => {
      this.reader.disconnect(true);
      return new Error('Redis does not answer on this connection');
    });
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

  /** Waits until `wake` is called, at most this many milliseconds. */
  private sleep(milliseconds: number): Promise<void> {
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

/** XREAD returns the entries after this id: those whose last message is at the offset or above. */
const idBefore = (offset: number): string =>
  offset === 0 ? '0-0' : `${offset - 1}-18446744073709551615`;
