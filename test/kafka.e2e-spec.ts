import { randomUUID } from 'node:crypto';
import {
  type Admin,
  CompressionCodecs,
  CompressionTypes,
  ConfigResourceTypes,
  Kafka,
  logLevel,
  type Producer,
} from 'kafkajs';
import { Logger } from '@nestjs/common';
import {
  DeadLetters,
  defineTopic,
  EventPublisher,
  type RawMessage,
  type RunningConsumer,
  TopicProvisioner,
} from '../src/messaging';
import { KafkaEventLog } from '../src/messaging/kafka/kafka-event-log';
import { Environment } from '../src/platform/config';
import { eventually, testEnvironment } from './support';

const group = 'readers';

/** Brokers take at most this in one record batch by default. */
const BATCH_LIMIT_BYTES = 1_048_588;

/**
 * Compression formats of producers in other languages, in their simplest form, which stores the
 * data as it is. For Snappy this is one literal; for LZ4 one stored block, whose header has its
 * checksum.
 */
const storedAs = {
  snappy(data: Buffer): Buffer {
    const bytes: number[] = [];
    for (let rest = data.length; ; rest >>>= 7) {
      bytes.push(rest > 127 ? (rest & 127) | 128 : rest);
      if (rest <= 127) break;
    }
    const literal = Buffer.from([61 << 2, 0, 0]);
    literal.writeUInt16LE(data.length - 1, 1);
    return Buffer.concat([Buffer.from(bytes), literal, data]);
  },
  lz4(data: Buffer): Buffer {
    const size = Buffer.alloc(4);
    size.writeUInt32LE((data.length | 0x80000000) >>> 0);
    return Buffer.concat([Buffer.from('04224d18604082', 'hex'), size, data, Buffer.alloc(4)]);
  },
};

describe('Kafka', () => {
  let log: KafkaEventLog;
  let kafka: Kafka;
  let admin: Admin;
  /** The producer of another program, which may be in any language. */
  let producer: Producer;
  let topic: string;
  const consumers: RunningConsumer[] = [];

  beforeAll(async () => {
    const brokers = testEnvironment().KAFKA_BROKERS.split(',');
    log = new KafkaEventLog(brokers);
    kafka = new Kafka({ brokers, connectionTimeout: 30_000, logLevel: logLevel.NOTHING });
    admin = kafka.admin({ retry: { retries: 0 } });
    producer = kafka.producer();
    await Promise.all([admin.connect(), producer.connect()]);
  });
  beforeEach(() => {
    topic = `k-${randomUUID().slice(0, 8)}`;
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    await Promise.all(consumers.splice(0).map((consumer) => consumer.stop()));
  });
  afterAll(async () => {
    await Promise.all([admin?.disconnect(), producer?.disconnect(), log?.close()]);
  });

  /** Joins the group. @returns the texts that are consumed, a growing list */
  const consume = async (): Promise<string[]> => {
    const texts: string[] = [];
    const onMessages = (_: string, messages: readonly RawMessage[]): Promise<void> => {
      texts.push(...messages.map(({ value }) => value.toString()));
      return Promise.resolve();
    };
    const options = { topic, group: `${group}-${topic}`, size: 100, lingerMs: 0 };
    consumers.push(await log.consume(options, { onStart: () => Promise.resolve(), onMessages }));
    return texts;
  };
  /** Creates the topic as another program, or an earlier version, does. */
  const createTopic = (name: string, settings: Record<string, string> = {}): Promise<boolean> => {
    const configEntries = Object.entries(settings).map(([key, value]) => ({ name: key, value }));
    return admin.createTopics({
      waitForLeaders: true,
      topics: [{ topic: name, numPartitions: 1, configEntries }],
    });
  };
  const settingsOf = async (name: string): Promise<Record<string, string>> => {
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name }],
    });
    const entries = resources[0]!.configEntries;
    return Object.fromEntries(
      entries.map(({ configName, configValue }) => [configName, configValue]),
    );
  };
  const send = (value: Buffer | string, compression = CompressionTypes.None): Promise<unknown> =>
    producer.send({ topic, compression, messages: [{ value, partition: 0 }] });
  const sendCompressed = async (codec: 'snappy' | 'lz4', text: string): Promise<void> => {
    const type = codec === 'snappy' ? CompressionTypes.Snappy : CompressionTypes.LZ4;
    const before = CompressionCodecs[type];
    CompressionCodecs[type] = () => ({
      compress: ({ buffer }: { buffer: Buffer }) => Promise.resolve(storedAs[codec](buffer)),
    });
    try {
      await send(text, type);
    } finally {
      CompressionCodecs[type] = before;
    }
  };

  it('takes more messages in one append than fit in a record batch, in their order', async () => {
    await log.ensureTopic(topic, 2);
    const messages = Array.from({ length: 1_500 }, (_, i) => ({
      key: `${i}`,
      value: Buffer.from(`${i}:`.padEnd(3_000, '.')),
      partition: i % 2,
      headers: { i: `${i}` },
    }));
    await log.append(topic, 'all', messages);
    expect(await log.endOffsets(topic)).toEqual([750, 750]);
    const odd = await log.read(topic, 1, 0, 750);
    expect(odd.map(({ key }) => key)).toEqual(
      messages.filter(({ partition }) => partition === 1).map(({ key }) => key),
    );
  });

  it('refuses messages for a partition that the topic does not have', async () => {
    await log.ensureTopic(topic, 1);
    const to = (...partitions: number[]): Promise<void> =>
      log.append(
        topic,
        'all',
        partitions.map((partition) => ({ key: null, partition, value: Buffer.from('x') })),
      );
    await to(0);
    await expect(to(2)).rejects.toThrow(`Kafka did not take the messages of ${topic}`);
    await expect(to(0, 2)).rejects.toThrow(`Kafka did not take the messages of ${topic}`);
  });

  it('adds partitions to a topic that was recreated with fewer, and keeps every accepted event', async () => {
    const contract = defineTopic<{ n: number }>({
      name: topic,
      partitions: 3,
      acks: 'all',
      key: ({ n }) => `${n}`,
      schema: { type: 'object', required: ['n'] },
    });
    const publisher = new EventPublisher(log, new TopicProvisioner(log, new Environment()));
    let n = 0;
    let taken = new Set<number>();
    const publish = async (): Promise<void> => {
      const events = Array.from({ length: 30 }, () => ({ n: n++ }));
      const results = await Promise.allSettled(
        events.map((event) => publisher.publish(contract, event)),
      );
      results.forEach(({ status }, i) => status === 'fulfilled' && taken.add(events[i]!.n));
      expect(results.map(({ status }) => status)).not.toContain('rejected');
    };
    await publish();
    await admin.deleteTopics({ topics: [topic] });
    taken = new Set();
    await eventually(() => createTopic(topic));
    await eventually(publish);

    expect(await log.partitionsOf(topic)).toBe(3);
    const ends = await log.endOffsets(topic);
    const held = (await Promise.all(ends.map((end, i) => log.read(topic, i, 0, end)))).flat();
    const numbers = new Set(held.map(({ key }) => Number(key)));
    expect([...taken].filter((each) => !numbers.has(each))).toEqual([]);
  });

  it.each([
    ['with a new dead-letter topic', () => Promise.resolve(true)],
    [
      'with an existing dead-letter topic',
      () => createTopic(`${topic}.dlq`, { 'retention.ms': '86400000' }),
    ],
  ])('dead-letters the largest message that it takes, %s', async (_, prepare) => {
    await log.ensureTopic(topic, 1);
    await prepare();
    const takes = async (size: number): Promise<boolean> => {
      try {
        await send(Buffer.alloc(size, 'x'));
        return true;
      } catch (error) {
        expect(error).toMatchObject({ type: 'MESSAGE_TOO_LARGE' });
        return false;
      }
    };
    let [largest, tooLarge] = [BATCH_LIMIT_BYTES - 200, BATCH_LIMIT_BYTES];
    while (tooLarge - largest > 1) {
      const middle = (largest + tooLarge) >> 1;
      if (await takes(middle)) largest = middle;
      else tooLarge = middle;
    }
    await send(Buffer.alloc(largest, 'x'));
    const [end = 0] = await log.endOffsets(topic);
    const [message] = await log.read(topic, 0, end - 1, 1);

    const letters = new DeadLetters(log);
    const reason = 'reason '.repeat(200);
    // A broker applies new settings of a topic with a short delay.
    await eventually(() => letters.bury(topic, group, message!, reason));
    const [letter] = await letters.list(topic, 1);
    expect(letter).toMatchObject({ topic, group, originalOffset: end - 1 });
    expect(letter!.value).toHaveLength(largest);
  });

  it('reads what producers in other languages compress, also in a topic that existed before', async () => {
    await createTopic(topic, { 'retention.ms': '86400000' });
    await log.ensureTopic(topic, 1);
    await eventually(async () =>
      expect(await settingsOf(topic)).toMatchObject({
        'compression.type': 'uncompressed',
        'retention.ms': '86400000',
      }),
    );
    const texts = await consume();
    await send('plain');
    await send('gzip', CompressionTypes.GZIP);
    await send('zstd', CompressionTypes.ZSTD);
    await sendCompressed('snappy', 'snappy');
    await sendCompressed('lz4', 'lz4');
    await eventually(() => expect(texts).toEqual(['plain', 'gzip', 'zstd', 'snappy', 'lz4']));
  });

  it('reads older messages with zstd compression', async () => {
    await createTopic(topic);
    await send('zstd', CompressionTypes.ZSTD);
    const texts = await consume();
    await eventually(() => expect(texts).toEqual(['zstd']));
  });

  it('counts as lag only what is left to read: no aborted transaction, nothing that was deleted', async () => {
    await createTopic(topic);
    const transactional = kafka.producer({
      transactionalId: `aborting-${topic}`,
      idempotent: true,
      maxInFlightRequests: 1,
    });
    await transactional.connect();
    const abort = async (count: number): Promise<void> => {
      const transaction = await transactional.transaction();
      const messages = Array.from({ length: count }, () => ({ value: 'aborted', partition: 0 }));
      await transaction.send({ topic, messages });
      await transaction.abort();
    };
    const lag = (): Promise<number[]> => log.lag(`${group}-${topic}`, topic);
    try {
      // Before the first message, behind a message, and alone.
      await abort(5);
      const texts = await consume();
      await eventually(async () => expect(await lag()).toEqual([0]));
      await send('first');
      await abort(5);
      await eventually(async () => expect(await lag()).toEqual([0]));
      await abort(5);
      await eventually(async () => expect(await lag()).toEqual([0]));
      await send('second');
      await eventually(() => expect(texts).toEqual(['first', 'second']));
      await eventually(async () => expect(await lag()).toEqual([0]));
    } finally {
      await transactional.disconnect();
    }
    const [end = 0] = await log.endOffsets(topic);
    await send('third');
    const partitions = [{ partition: 0, offset: String(end) }];
    await eventually(() => admin.deleteTopicRecords({ topic, partitions }));
    expect(await log.lag('a-new-group', topic)).toEqual([1]);
  });

  it('logs an error for a message that it cannot read, is not ready, and joins again until it can read', async () => {
    const errors = jest.spyOn(Logger.prototype, 'error').mockReturnValue();
    await createTopic(topic);
    const texts = await consume();
    await send('before');
    await eventually(() => expect(texts).toEqual(['before']));
    await log.check();

    await sendCompressed('lz4', 'unreadable');
    await send('after');
    const fault = `${group}-${topic} cannot read ${topic}: LZ4 compression not implemented`;
    await eventually(() => expect(log.check()).rejects.toThrow(fault));
    expect(errors).toHaveBeenCalledWith(expect.stringContaining(fault));

    const partitions = [{ partition: 0, offset: '2' }];
    await eventually(() => admin.deleteTopicRecords({ topic, partitions }));
    await eventually(() => expect(texts.at(-1)).toBe('after'));
    await eventually(() => log.check());
  });
});
