import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Kafka, logLevel } from 'kafkajs';
import { Redis } from 'ioredis';
import { register } from 'prom-client';
import {
  DeadLetters,
  defineTopic,
  type EventLog,
  EventPublisher,
  LogServer,
  type Message,
  type MessageBatch,
  OffsetFence,
  type SubscriptionOptions,
  type Topic,
  TopicProvisioner,
} from '../src/messaging';
import type { ConsumerWaits } from '../src/messaging/consumer-waits';
import { KafkaEventLog } from '../src/messaging/kafka/kafka-event-log';
import { MessagingMetrics } from '../src/messaging/messaging.metrics';
import { FetchSize } from '../src/messaging/streams/fetch-size';
import { partitionsKey, streamKeys } from '../src/messaging/streams/stream-keys';
import { StreamsEventLog } from '../src/messaging/streams/streams-event-log';
import { Environment } from '../src/platform/config';
import { Database, Migrator } from '../src/platform/database';
import { UnavailableError } from '../src/platform/errors';
import { RedisScript } from '../src/platform/redis';
import { eventually, isolatedStack, Sql, type StackEnvironment, testEnvironment } from './support';

interface Event {
  key: string;
  value: number | string;
}

/** Every commit of KafkaJS goes through this class. */
const OffsetManager = jest.requireActual<{ prototype: { commitOffsets(): Promise<void> } }>(
  'kafkajs/src/consumer/offsetManager',
);

const brokers = (): string[] => testEnvironment().KAFKA_BROKERS.split(',');

const engines = [
  {
    name: 'streams',
    open: (stack: StackEnvironment): EventLog => new StreamsEventLog(stack.REDIS_URL),
    /** Deletes the topic's log, as the loss of a disk does. */
    async lose(stack: StackEnvironment) {
      const redis = new Redis(stack.REDIS_URL);
      await redis.flushdb();
      redis.disconnect();
    },
    /** Makes every commit for the topic fail while `work` runs, and until one has failed. */
    async refusingCommits(stack: StackEnvironment, topic: Topic<Event>, work: () => Promise<void>) {
      const redis = new Redis(stack.REDIS_URL);
      const refused = async (): Promise<number> =>
        Number(/errorstat_WRONGTYPE:count=(\d+)/.exec(await redis.info('errorstats'))?.[1] ?? 0);
      const before = await refused();
      const keys = Array.from(
        { length: topic.partitions },
        (_, partition) => streamKeys(topic.name, partition).groups,
      );
      for (const key of keys) await redis.rename(key, `${key}:aside`);
      for (const key of keys) await redis.set(key, 'no hash');
      await work();
      await eventually(async () => expect(await refused()).toBeGreaterThan(before));
      for (const key of keys) await redis.rename(`${key}:aside`, key);
      redis.disconnect();
    },
    /** Stores a value of the wrong type where members expect a lease. */
    async preventJoins(stack: StackEnvironment, topic: string, group: string) {
      const redis = new Redis(stack.REDIS_URL);
      await redis.set(partitionsKey(topic), 1);
      await redis.lpush(streamKeys(topic, 0).lease(group), 'no lease');
      redis.disconnect();
    },
  },
  {
    name: 'kafka',
    open: (): EventLog => new KafkaEventLog(brokers()),
    async lose(_: StackEnvironment, topic: string) {
      const admin = new Kafka({ brokers: brokers(), logLevel: logLevel.NOTHING }).admin();
      await admin.connect();
      await admin.deleteTopics({ topics: [topic] });
      await eventually(async () => {
        if ((await admin.listTopics()).includes(topic)) throw new Error('still there');
      });
      await admin.disconnect();
    },
    async refusingCommits(_: StackEnvironment, __: Topic<Event>, work: () => Promise<void>) {
      const commits = jest
        .spyOn(OffsetManager.prototype, 'commitOffsets')
        .mockRejectedValue(new Error('refused'));
      await work();
      await eventually(() => expect(commits).toHaveBeenCalled());
      commits.mockRestore();
    },
    /** No member can join for a topic that does not exist. */
    preventJoins: () => Promise.resolve(),
  },
];

const openSockets = (): number =>
  process.getActiveResourcesInfo().filter((resource) => resource === 'TCPSocketWrap').length;

describe.each(engines)('the event log on $name', (engine) => {
  const { name, open, lose, preventJoins, refusingCommits } = engine;
  let stack: StackEnvironment;
  let database: Database;
  let fence: OffsetFence;
  let sql: Sql;
  let log: EventLog;
  let publisher: EventPublisher;
  let topic: Topic<Event>;
  let group: string;
  const members: Member[] = [];

  /** One instance of a program that consumes the topic. */
  class Member {
    readonly calls: Message<Event>[][] = [];
    readonly waits: ConsumerWaits;
    private readonly log = open(stack);
    private readonly server: LogServer;

    constructor(
      handle: (batch: MessageBatch<Event>) => Promise<void> | void,
      options: Partial<SubscriptionOptions> = {},
    ) {
      register.clear();
      const environment = environmentOf(stack);
      const metrics = new MessagingMetrics(this.log);
      this.waits = metrics.waits;
      this.server = new LogServer(
        this.log,
        new TopicProvisioner(this.log, environment),
        fence,
        new DeadLetters(this.log),
        metrics,
        environment,
      );
      const subscription = { group, batch: { size: 100, lingerMs: 5 }, ...options, topic };
      const handler = async (batch: MessageBatch<Event>): Promise<void> => {
        this.calls.push([...batch.messages]);
        await handle(batch);
      };
      this.server.addHandler('events', handler as never, true, { subscription });
      members.push(this);
    }

    get values(): (number | string)[] {
      return this.calls.flat().map(({ value }) => value.value);
    }

    start(): this {
      this.server.listen((error) => {
        if (error) throw error as Error;
      });
      return this;
    }

    async stop(): Promise<void> {
      await this.server.close();
      await this.log.close();
    }
  }

  const nothing = (): void => undefined;
  const events = (count: number, keys = 10): Event[] =>
    Array.from({ length: count }, (_, value) => ({ key: `k${value % keys}`, value }));
  const sorted = (values: (number | string)[]): (number | string)[] =>
    [...values].sort((a, b) => Number(a) - Number(b));

  /** Counts each event's key in MySQL, behind the fence. */
  const count = (batch: MessageBatch<Event>): Promise<void> =>
    fence.handle(batch, async (tx, fresh) => {
      for (const { value } of fresh)
        await tx.change(
          'INSERT INTO counted (name, n) VALUES (?, 1) ON DUPLICATE KEY UPDATE n = n + 1',
          [`${group}:${value.key}`],
        );
    });
  const counted = async (): Promise<number> => {
    const [row] = await sql.rows<{ n: string | null }>(
      'SELECT SUM(n) AS n FROM counted WHERE name LIKE ?',
      [`${group}:%`],
    );
    return Number(row?.n ?? 0);
  };
  const total = (offsets: readonly number[]): number =>
    offsets.reduce((sum, offset) => sum + offset, 0);
  const committed = async (): Promise<number> =>
    total(await log.committedOffsets(group, topic.name));

  beforeAll(async () => {
    stack = await isolatedStack(`messaging_${name}`);
    await new Migrator(stack.MYSQL_URL).up();
    database = new Database(environmentOf(stack));
    fence = new OffsetFence(database);
    sql = await Sql.open(stack.MYSQL_URL);
    await sql.change('CREATE TABLE counted (name VARCHAR(128) PRIMARY KEY, n INT NOT NULL)');
    log = open(stack);
    // The first requests fail while the broker is still starting.
    const warmUp = `warm-up-${randomUUID()}`;
    await eventually(() => log.ensureTopic(warmUp, 1));
    await eventually(() =>
      log.append(warmUp, 'all', [{ key: null, value: Buffer.from('{}'), partition: 0 }]),
    );
  });

  beforeEach(() => {
    const id = randomUUID().slice(0, 8);
    group = `g-${id}`;
    topic = defineTopic<Event>({
      name: `t-${id}`,
      partitions: 3,
      acks: 'all',
      key: ({ key }) => key,
      schema: {
        type: 'object',
        required: ['key', 'value'],
        properties: { key: { type: 'string' } },
      },
    });
    publisher = new EventPublisher(log, new TopicProvisioner(log, environmentOf(stack)));
  });

  afterEach(async () => {
    await Promise.all(members.splice(0).map((member) => member.stop()));
  });

  afterAll(async () => {
    await log?.close();
    await sql?.close();
    await database?.onApplicationShutdown();
  });

  it('keeps the order of the events of each key, in every partition', async () => {
    const all = events(300);
    const member = new Member(nothing).start();
    await Promise.all(all.map((event) => publisher.publish(topic, event)));
    await eventually(() => expect(member.values).toHaveLength(300));
    for (let key = 0; key < 10; key++)
      expect(member.values.filter((value) => Number(value) % 10 === key)).toEqual(
        all.map(({ value }) => value).filter((value) => Number(value) % 10 === key),
      );
    expect(new Set(member.calls.flat().map(({ partition }) => partition)).size).toBe(3);
  });

  it('gives each group every event', async () => {
    const one = new Member(nothing, { group: `${group}-1` }).start();
    const two = new Member(nothing, { group: `${group}-2` }).start();
    await publisher.publish(topic, ...events(50));
    for (const member of [one, two])
      await eventually(() =>
        expect(sorted(member.values)).toEqual(events(50).map(({ value }) => value)),
      );
  });

  it('calls with at most the batch size, and collects events that arrive within the linger time', async () => {
    await publisher.publish(topic, ...events(25, 1));
    const sized = new Member(nothing, { batch: { size: 10, lingerMs: 0 } }).start();
    await eventually(() => expect(sized.values).toHaveLength(25));
    expect(Math.max(...sized.calls.map((call) => call.length))).toBe(10);

    group = `${group}-linger`;
    const lingering = new Member(nothing, { batch: { size: 26, lingerMs: 20_000 } }).start();
    await publisher.publish(topic, { key: 'k0', value: 25 });
    await eventually(() => expect(lingering.values).toHaveLength(26));
    expect(lingering.calls).toHaveLength(1);
  });

  it('counts once what is replayed after a rewind', async () => {
    await publisher.publish(topic, ...events(200));
    const first = new Member(count).start();
    await eventually(async () => expect(await committed()).toBe(200));
    expect(await counted()).toBe(200);
    await expect(log.rewind(group, topic.name, [0, 0, 0])).rejects.toThrow(`${group} has members`);
    expect(await committed()).toBe(200);
    await first.stop();

    // A group may only be set back once its members have left it.
    await eventually(() => log.rewind(group, topic.name, [0, 0, 0]));
    const second = new Member(count).start();
    await eventually(() => expect(second.values).toHaveLength(200));
    await publisher.publish(topic, { key: 'k1', value: 200 });
    await eventually(async () => expect(await committed()).toBe(201));
    expect(await counted()).toBe(201);
  });

  it('dead-letters messages that cannot be handled, handles all others, and can publish a dead letter again', async () => {
    let healed = false;
    const member = new Member(
      async (batch) => {
        if (!healed && batch.messages.some(({ value }) => value.value === 'poison'))
          throw new Error('cannot handle poison');
        await count(batch);
      },
      { batch: { size: 100, lingerMs: 50 } },
    );
    await publisher.publish(topic, ...events(20, 1), { key: 'k0', value: 'poison' });
    const { partition } = await partitionHolding('k0');
    await log.append(topic.name, 'all', [
      { key: 'k0', value: Buffer.from('{not json'), partition },
      { key: 'k0', value: Buffer.from(JSON.stringify({ key: 'k0' })), partition },
      { key: 'k0', value: Buffer.alloc(1_000_001, 0x20), partition },
    ]);
    await publisher.publish(topic, ...events(20, 1));
    member.start();
    await eventually(async () => expect(await committed()).toBe(44));
    expect(await counted()).toBe(40);

    const letters = new DeadLetters(log);
    const list = await letters.list(topic.name, 10);
    expect(list.map(({ reason }) => reason)).toEqual([
      expect.stringContaining('cannot handle poison'),
      expect.stringContaining('not JSON'),
      expect.stringContaining("must have required property 'value'"),
      expect.stringContaining('1000001 bytes'),
    ]);
    expect(list[0]).toMatchObject({ topic: topic.name, group, partition, originalOffset: 20 });

    healed = true;
    expect(await letters.republish(topic.name, list[0]!.offset)).toBe(true);
    expect(await letters.republish(topic.name, 99)).toBe(false);
    await eventually(async () => expect(await counted()).toBe(41));

    // A replay neither counts nor dead-letters a message again.
    await member.stop();
    await eventually(() => log.rewind(group, topic.name, [0, 0, 0]));
    const again = new Member(count).start();
    await eventually(async () => expect(await committed()).toBe(45));
    expect(again.values.length).toBeGreaterThan(0);
    expect(await counted()).toBe(41);
    expect(await letters.list(topic.name, 10)).toHaveLength(4);
  });

  it('waits while a dependency is away, and dead-letters nothing', async () => {
    let attempts = 0;
    const member = new Member(() => {
      if (++attempts <= 4) throw new UnavailableError('mysql', 'is away');
    }).start();
    await publisher.publish(topic, { key: 'k', value: 1 });
    await eventually(async () => expect(await committed()).toBe(1));
    expect(member.values).toEqual([1, 1, 1, 1, 1]);
    expect(await new DeadLetters(log).list(topic.name, 10)).toEqual([]);
  });

  it('waits while every message fails, and dead-letters nothing', async () => {
    let isBroken = true;
    const failed = new Set<number>();
    const member = new Member(async (batch) => {
      if (isBroken) {
        failed.add(batch.partition);
        throw new TypeError('a bug that every message meets');
      }
      await count(batch);
    }).start();
    await publisher.publish(topic, ...events(60));
    await eventually(() => expect(member.calls.length).toBeGreaterThan(60));
    expect(failed.size).toBe(3);
    expect(() => member.waits.check()).toThrow(`${group} waits with ${topic.name} (0, 1, 2)`);
    expect(await register.metrics()).toContain(
      `webook_consumers_waiting{group="${group}",topic="${topic.name}",reason="TypeError"} 3`,
    );
    isBroken = false;
    await eventually(async () => expect(await committed()).toBe(60));
    expect(await counted()).toBe(60);
    expect(await new DeadLetters(log).list(topic.name, 10)).toEqual([]);
    member.waits.check();
  });

  it('dead-letters a message that alone fails at the start of a partition, and counts the others once', async () => {
    await publisher.publish(topic, { key: 'k0', value: 'poison' }, ...events(20, 1));
    const member = new Member(
      (batch) =>
        fence.handle(batch, async (tx, fresh) => {
          for (const { value } of fresh) {
            if (value.value === 'poison') throw new TypeError('a bug that one message meets');
            await tx.change(
              'INSERT INTO counted (name, n) VALUES (?, 1) ON DUPLICATE KEY UPDATE n = n + 1',
              [`${group}:${value.key}`],
            );
          }
        }),
      { batch: { size: 1, lingerMs: 0 } },
    ).start();
    await eventually(async () => expect(await committed()).toBe(21));
    expect(await counted()).toBe(20);
    const letters = await new DeadLetters(log).list(topic.name, 10);
    expect(letters.map(({ reason }) => reason)).toEqual([
      'TypeError: a bug that one message meets',
    ]);
    expect(member.calls[0]![0]!.value.value).toBe('poison');
  });

  it('writes one dead letter, however often MySQL refuses what follows', async () => {
    const advance = jest.spyOn(fence, 'advancePast');
    for (let refusal = 0; refusal < 3; refusal++)
      advance.mockRejectedValueOnce(new UnavailableError('mysql', 'refuses'));
    await log.ensureTopic(topic.name, 3);
    await log.append(topic.name, 'all', [{ key: null, value: Buffer.from('no'), partition: 1 }]);
    new Member(nothing).start();
    await eventually(async () => expect(await committed()).toBe(1));
    expect(advance).toHaveBeenCalledTimes(4);
    advance.mockRestore();
    expect(await new DeadLetters(log).list(topic.name, 10)).toHaveLength(1);
  });

  it('forgets a group without members, and counts nothing twice when it joins again', async () => {
    await publisher.publish(topic, ...events(30));
    const member = new Member(count).start();
    await eventually(async () => expect(await committed()).toBe(30));
    await expect(log.forget(group, topic.name)).rejects.toThrow(`${group} has members`);
    await member.stop();
    await eventually(() => log.forget(group, topic.name));
    expect(await committed()).toBe(0);
    await log.forget(group, topic.name);
    const back = new Member(count).start();
    await eventually(() => expect(back.values).toHaveLength(30));
    expect(await counted()).toBe(30);
  });

  it('shares the partitions among members, and redistributes those of a member that leaves', async () => {
    const one = new Member(count).start();
    const two = new Member(count).start();
    await eventually(async () => {
      await publisher.publish(topic, ...events(30));
      const sinceBoth = [one, two].map((member) => member.calls.length);
      expect(Math.min(...sinceBoth)).toBeGreaterThan(0);
    });
    await one.stop();
    await publisher.publish(topic, ...events(300));
    const published = total(await log.endOffsets(topic.name));
    await eventually(async () => expect(await committed()).toBe(published));
    expect(await counted()).toBe(published);
  });

  it('commits what it has handled as soon as the log accepts commits again, without a further event', async () => {
    await publisher.publish(topic, ...events(30));
    const member = new Member(nothing).start();
    await eventually(async () => expect(await committed()).toBe(30));
    await refusingCommits(stack, topic, async () => {
      await publisher.publish(topic, ...events(30));
      await eventually(() => expect(member.values).toHaveLength(60));
    });
    await eventually(async () => expect(await committed()).toBe(60));
    expect(member.values).toHaveLength(60);
  });

  it('hands over what a stopping member has fetched but not handled to the next member', async () => {
    let open = (): void => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    const stopping = new Member(
      async (batch) => {
        await gate;
        await count(batch);
      },
      { batch: { size: 10, lingerMs: 0 } },
    ).start();
    await publisher.publish(topic, ...events(10, 1));
    await eventually(() => expect(stopping.calls).toHaveLength(1));
    // There is no way to see when these are fetched. Without the pauses the test is only less
    // strict.
    await publisher.publish(topic, ...events(10, 1));
    await setTimeout(500);
    const stopped = stopping.stop();
    await publisher.publish(topic, ...events(10, 1));
    await setTimeout(500);
    open();
    await stopped;
    new Member(count).start();
    await eventually(async () => expect(await committed()).toBe(30));
    expect(await counted()).toBe(30);
  });

  it('counts once what a member had counted but not committed when it stopped', async () => {
    await publisher.publish(topic, ...events(90));
    let reached = 0;
    const stuck = new Member(async (batch) => {
      reached += batch.messages.length;
      await count(batch);
      throw new UnavailableError('dependency', 'goes away after the transaction');
    }).start();
    await eventually(() => expect(reached).toBeGreaterThanOrEqual(90));
    await stuck.stop();
    expect(await committed()).toBe(0);
    new Member(count).start();
    await eventually(async () => expect(await committed()).toBe(90));
    expect(await counted()).toBe(90);
  });

  it('continues to count when the log was lost and recreated', async () => {
    await publisher.publish(topic, ...events(60));
    const before = new Member(count).start();
    await eventually(async () => expect(await committed()).toBe(60));
    await before.stop();
    await lose(stack, topic.name);

    const provisioner = new TopicProvisioner(log, environmentOf(stack));
    await eventually(() => provisioner.ensure(topic as Topic<unknown>));
    await new EventPublisher(log, provisioner).publish(topic, ...events(30));
    new Member(count).start();
    await eventually(async () => expect(await counted()).toBe(90));
  });

  it('continues to count when the log is lost and recreated while a member runs', async () => {
    await publisher.publish(topic, ...events(60));
    new Member(count).start();
    await eventually(async () => expect(await committed()).toBe(60));
    await lose(stack, topic.name);

    // The publisher that created the topic creates it again. Events whose publish timed out may
    // have arrived too.
    await eventually(() => publisher.publish(topic, ...events(20)));
    const arrived = async (): Promise<number> => {
      const sum = total(await log.endOffsets(topic.name));
      expect(sum).toBeGreaterThanOrEqual(20);
      return sum;
    };
    await eventually(async () => expect(await counted()).toBe(60 + (await arrived())));
    await eventually(async () => expect(await committed()).toBe(await arrived()));
  });

  // KafkaJS does not know to which topic an offset belongs. Kafka itself assigns all offsets.
  if (name === 'streams') {
    it.each([
      ['the clock', '*', true],
      ['the next offset', '10-0', true],
      ['an offset that is not used yet', '12-5', true],
      ['a high offset', '4000000000000000-7', true],
      ['an offset that JavaScript cannot count', '9007199254740993-0', true],
      ['the highest id that there is', '18446744073709551615-18446744073709551615', true],
      ['an offset that is not used yet, and was deleted', '5000-1', false],
      ['the highest id, and was deleted', '18446744073709551615-18446744073709551615', false],
    ])('goes on after an entry of another program with %s', async (_, id, stays) => {
      const redis = new Redis(stack.REDIS_URL);
      try {
        await publisher.publish(topic, ...events(10, 1));
        const { partition } = await partitionHolding('k0');
        const member = new Member(count).start();
        await eventually(async () => expect(await committed()).toBe(10));

        const { stream } = streamKeys(topic.name, partition);
        const adding = redis.multi().xadd(stream, id, 'field', 'value');
        if (!stays) adding.xdel(stream, id);
        await adding.exec();
        const letters = (): Promise<unknown[]> => new DeadLetters(log).list(topic.name, 10);
        if (stays) await eventually(async () => expect(await letters()).toHaveLength(1));
        await publisher.publish(topic, ...events(10, 1));
        await eventually(async () => expect(await counted()).toBe(20));

        // Also for a member that joins later, and for one that reads everything again.
        await member.stop();
        const next = new Member(count).start();
        await publisher.publish(topic, ...events(10, 1));
        await eventually(async () => expect(await counted()).toBe(30));
        await eventually(async () => expect(await log.lag(group, topic.name)).toEqual([0, 0, 0]));
        await next.stop();
        await eventually(() => log.rewind(group, topic.name, [0, 0, 0]));
        const again = new Member(count).start();
        await eventually(() => expect(again.values).toHaveLength(30));
        await eventually(async () => expect(await log.lag(group, topic.name)).toEqual([0, 0, 0]));
        expect(await counted()).toBe(30);
        expect(await letters()).toHaveLength(stays ? 1 : 0);
      } finally {
        redis.disconnect();
      }
    });

    it('counts what a member still holds of a lost log, and what the next log has', async () => {
      const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
      const holding = new Member(async (batch) => {
        if (batch.messages[0]!.offset > 0) await gates[0].promise;
        await count(batch);
      }).start();
      await publisher.publish(topic, ...events(10, 1));
      await eventually(async () => expect(await committed()).toBe(10));
      await publisher.publish(topic, ...events(10, 1));
      await eventually(() => expect(holding.calls).toHaveLength(2));

      await lose(stack, topic.name);
      const next = new Member(async (batch) => {
        await gates[1].promise;
        await count(batch);
      }).start();
      await publisher.publish(topic, ...events(5, 1));
      await eventually(() => expect(next.calls).toHaveLength(1));
      gates[0].resolve();
      await eventually(async () => expect(await counted()).toBe(20));
      gates[1].resolve();
      await eventually(async () => expect(await committed()).toBe(5));
      expect(await counted()).toBe(25);
    });
  }

  it('leaves no connection open after a join that failed', async () => {
    await preventJoins(stack, topic.name, group);
    const joining = open(stack);
    const join = (): Promise<unknown> => {
      const options = { topic: topic.name, group, size: 1, lingerMs: 0 };
      const handler = { onStart: () => Promise.resolve(), onMessages: () => Promise.resolve() };
      return joining.consume(options, handler);
    };
    await joining.check();
    const before = openSockets();
    await expect(join()).rejects.toThrow();
    await eventually(() => expect(openSockets()).toBe(before));
    await joining.close();
  });

  it('raises a topic that has fewer partitions than its contract', async () => {
    expect(await log.ensureTopic(topic.name, 1)).toBe(1);
    await publisher.publish(topic, ...events(30));
    expect(await log.partitionsOf(topic.name)).toBe(3);
    const member = new Member(nothing).start();
    await eventually(() => expect(member.values).toHaveLength(30));
  });

  async function partitionHolding(key: string): Promise<{ partition: number }> {
    for (let partition = 0; partition < topic.partitions; partition++) {
      const [message] = await log.read(topic.name, partition, 0, 1);
      if (message?.key === key) return { partition };
    }
    throw new Error(`no partition holds ${key}`);
  }
});

describe('streams in Redis', () => {
  let stack: StackEnvironment;
  let log: StreamsEventLog;
  let redis: Redis;

  beforeAll(async () => {
    stack = await isolatedStack('messaging_gaps');
    log = new StreamsEventLog(stack.REDIS_URL);
    redis = new Redis(stack.REDIS_URL);
  });
  afterAll(async () => {
    await log?.close();
    redis?.disconnect();
  });

  const append = (topic: string, ...values: string[]): Promise<void> =>
    log.append(
      topic,
      'all',
      values.map((value) => ({ key: null, partition: 0, value: Buffer.from(value) })),
    );
  const takeOver = (topic: string) => redis.set(`mq:{${topic}:0}:run`, 'of an earlier process');

  it('hold an append once that is sent again because the connection ended before the answer', async () => {
    const connection = await unreliable(stack.REDIS_URL);
    const publishing = new StreamsEventLog(connection.url);
    try {
      await publishing.ensureTopic('once', 1);
      const messages = ['a', 'b'].map((value) => ({
        key: null,
        partition: 0,
        value: Buffer.from(value),
      }));
      // Loads the script, so that the next append is one command.
      await publishing.append('once', 'all', messages);
      connection.endBeforeNextAnswer();
      await publishing.append('once', 'all', messages);
      expect(connection.ended()).toBe(true);
      await publishing.append('once', 'all', messages);
    } finally {
      await publishing.close();
      connection.close();
    }
    const held = await log.read('once', 0, 0, 10);
    expect(held.map(({ value }) => value.toString()).join('')).toBe('ababab');
    expect(await log.endOffsets('once')).toEqual([6]);
  });

  it('leave out the offsets that may be lost when another Redis process takes over, and count no lag for them', async () => {
    await log.ensureTopic('gaps', 1);
    await append('gaps', 'a', 'b', 'c');
    await takeOver('gaps');
    await append('gaps', 'd', 'e');
    const messages = await log.read('gaps', 0, 0, 10);
    expect(messages.map(({ value }) => value.toString())).toEqual(['a', 'b', 'c', 'd', 'e']);
    const offsets = messages.map(({ offset }) => offset);
    expect(offsets.slice(0, 3)).toEqual([0, 1, 2]);
    expect(offsets[3]).toBeGreaterThan(1_000_000);
    expect(offsets[4]).toBe(offsets[3]! + 1);

    for (const [committed, lag] of [
      [0, 5],
      [2, 3],
      [3, 2],
      [1_000, 2],
      [offsets[4]!, 1],
      [offsets[4]! + 1, 0],
    ] as const) {
      await log.rewind('group', 'gaps', [committed]);
      expect(await log.lag('group', 'gaps')).toEqual([lag]);
    }
    expect((await log.newest('gaps', 0, 4)).map(({ value }) => value.toString())).toEqual([
      'b',
      'c',
      'd',
      'e',
    ]);
  });

  it('return the messages from any offset on, also from within an entry', async () => {
    await log.ensureTopic('packed', 1);
    const values = Array.from({ length: 2_000 }, (_, i) => `${i}`.padStart(40, '0'));
    await append('packed', ...values);
    expect(await redis.xlen('mq:{packed:0}')).toBeLessThan(10);
    for (const offset of [0, 1, 700, 1_999, 2_000]) {
      const messages = await log.read('packed', 0, offset, 5);
      expect(messages.map((message) => [message.offset, message.value.toString()])).toEqual(
        values.slice(offset, offset + 5).map((value, i) => [offset + i, value]),
      );
    }
    await log.rewind('group', 'packed', [1_234]);
    const handled: number[] = [];
    const consumer = await log.consume(
      { topic: 'packed', group: 'group', size: 100, lingerMs: 0 },
      {
        onStart: () => Promise.resolve(),
        onMessages: (_, messages) => {
          handled.push(...messages.map(({ offset }) => offset));
          return Promise.resolve();
        },
      },
    );
    await eventually(() => expect(handled.at(-1)).toBe(1_999));
    await consumer.stop();
    expect(handled).toEqual(Array.from({ length: 766 }, (_, i) => 1_234 + i));
  });

  it('are read as soon as there is room for more, also beside idle partitions', async () => {
    await log.ensureTopic('busy', 3);
    // Each message has its own entry, so that many reads are needed.
    const count = 5_000;
    await Promise.all(Array.from({ length: count }, (_, i) => append('busy', `${i}`)));
    let handled = 0;
    const consumer = await log.consume(
      { topic: 'busy', group: 'group', size: 1, lingerMs: 0 },
      {
        onStart: () => Promise.resolve(),
        onMessages: () => {
          handled++;
          return Promise.resolve();
        },
      },
    );
    // This takes minutes if each read waits for the idle partitions.
    await eventually(() => expect(handled).toBe(count)).finally(() => consumer.stop());
  });

  it('give no offset twice when the jump over the lost ones was lost too', async () => {
    await log.ensureTopic('lost', 1);
    await append('lost', 'a');
    const step = async (): Promise<number> => {
      await takeOver('lost');
      await redis.set('mq:{lost:0}:next', 1);
      await redis.xtrim('mq:{lost:0}', 'MAXLEN', 1);
      await append('lost', 'b');
      return (await log.newest('lost', 0, 1))[0]!.offset;
    };
    const first = await step();
    expect(await step()).toBeGreaterThan(first);
  });

  it('deliver nothing of a log that was lost before its partition was started', async () => {
    const reads = jest.spyOn(FetchSize.prototype, 'observe');
    await log.ensureTopic('recreated', 1);
    await append('recreated', 'lost');
    let starts = 0;
    const handled: string[] = [];
    const consumer = await log.consume(
      { topic: 'recreated', group: 'group', size: 1, lingerMs: 0 },
      {
        onStart: async () => {
          if (++starts > 1) return;
          await eventually(() => expect(reads).toHaveBeenCalled());
          await redis.flushdb();
          await append('recreated', 'new');
        },
        onMessages: (_, messages) => {
          handled.push(...messages.map(({ value }) => value.toString()));
          return Promise.resolve();
        },
      },
    );
    await eventually(() => expect(handled).toContain('new'));
    await consumer.stop();
    reads.mockRestore();
    expect(handled).toEqual(['new']);
  });

  it('report a command that Redis refuses in part', async () => {
    await log.ensureTopic('refused', 2);
    await redis.set(streamKeys('refused', 1).groups, 'no hash');
    await expect(log.rewind('group', 'refused', [0, 0])).rejects.toThrow('WRONGTYPE');
    await expect(log.forget('group', 'refused')).rejects.toThrow('WRONGTYPE');
  });

  it('keep what was read, up to a number of entries and bytes', async () => {
    const commit = new RedisScript(join(__dirname, '../src/messaging/streams/lua/commit.lua'));
    await log.ensureTopic('kept', 1);
    for (let i = 0; i < 5_000; i += 500)
      await Promise.all(Array.from({ length: 500 }, () => append('kept', 'x'.repeat(100))));
    await redis.set('mq:{kept:0}:lease:group', 'member');
    const keys = ['mq:{kept:0}:lease:group', 'mq:{kept:0}:groups', 'mq:{kept:0}'];
    const lengthAfter = async (offset: number, entries: number, bytes: number) => {
      await commit.run(redis, keys, ['member', 'group', offset, entries, bytes]);
      return redis.xlen('mq:{kept:0}');
    };
    expect(await lengthAfter(5_000, 1_000_000, 1e9)).toBe(5_000);
    const fewer = await lengthAfter(5_000, 4_000, 1e9);
    expect(fewer).toBeGreaterThanOrEqual(4_000);
    expect(fewer).toBeLessThan(4_200);
    const smaller = await lengthAfter(5_000, 1_000_000, 200_000);
    expect(smaller).toBeLessThan(2_500);
    // What a group has not read is kept, however much it is.
    await redis.hset('mq:{kept:0}:groups', 'slow', 4_500);
    expect(await lengthAfter(5_000, 1, 1)).toBeGreaterThanOrEqual(500);

    // Also for a group that has not committed anything yet.
    const length = await redis.xlen('mq:{kept:0}');
    const reached = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    const consumer = await log.consume(
      { topic: 'kept', group: 'new', size: 1, lingerMs: 0 },
      {
        onStart: () => Promise.resolve(),
        onMessages: () => {
          reached.resolve();
          return gate.promise;
        },
      },
    );
    await reached.promise;
    await redis.hset('mq:{kept:0}:groups', 'slow', 5_000);
    expect(await lengthAfter(5_000, 1, 1)).toBe(length);
    gate.resolve();
    await consumer.stop();
  });
});

function environmentOf(stack: StackEnvironment): Environment {
  return Object.assign(new Environment(), stack);
}

/** A proxy to Redis that can end a connection after a command and before its answer. */
async function unreliable(redisUrl: string) {
  const { hostname, port } = new URL(redisUrl);
  const sockets = new Set<Socket>();
  let state: 'open' | 'ending' | 'ended' = 'open';
  const server = createServer((client) => {
    const redis = connect(Number(port), hostname);
    const end = (): void => {
      client.destroy();
      redis.destroy();
    };
    for (const socket of [client, redis]) {
      sockets.add(socket);
      socket.on('error', end).on('close', end);
    }
    client.on('data', (bytes) => redis.write(bytes));
    redis.on('data', (bytes) => {
      if (state !== 'ending') return client.write(bytes);
      state = 'ended';
      return end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address() as AddressInfo;
  return {
    url: Object.assign(new URL(redisUrl), { port: String(address.port) }).href,
    endBeforeNextAnswer: () => void (state = 'ending'),
    ended: () => state === 'ended',
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
