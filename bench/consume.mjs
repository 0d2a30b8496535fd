// Read events a second that the batch consumer counts, exactly once into MySQL, on Kafka and on
// Redis Streams, against a bare KafkaJS eachBatch drain of the same messages that does nothing.
//   npm run bench -- consume
import { createRequire } from 'node:module';
import { Kafka, logLevel } from 'kafkajs';
import { createConnection } from 'mysql2/promise';
import { median, row, startProgram, until } from './support/program.mjs';

const require = createRequire(import.meta.url);
const { createEventLog } = require('../dist/src/messaging/messaging.module.js');
const { articleReadTopic } = require('../dist/src/article/index.js');
const { partitionOfKey } = require('../dist/src/messaging/partitioner.js');

const EVENTS = 300_000;
const ARTICLES = 1_000;
const ROUNDS = 3;
const GROUP = 'interactive';
const { name: TOPIC, partitions: PARTITIONS } = articleReadTopic;
const { MYSQL_URL, REDIS_URL, KAFKA_BROKERS } = process.env;

/** Messages as the publisher makes them: keyed by the article, spread over the partitions. */
function messages() {
  return Array.from({ length: EVENTS }, (_, i) => {
    const event = { Aid: (i % ARTICLES) + 1, Uid: i, Biz: 'bench' };
    const key = String(event.Aid);
    return {
      key,
      value: Buffer.from(JSON.stringify(event)),
      partition: partitionOfKey(key, PARTITIONS),
    };
  });
}

async function fill(log) {
  const all = messages();
  for (let i = 0; i < all.length; i += 10_000)
    await log.append(TOPIC, 'all', all.slice(i, i + 10_000));
}

const total = (values) => values.reduce((sum, value) => sum + value, 0);

/** Milliseconds that a bare consumer takes for the topic's newest messages. */
async function drain(from, ends) {
  const kafka = new Kafka({ brokers: KAFKA_BROKERS.split(','), logLevel: logLevel.NOTHING });
  const consumer = kafka.consumer({
    groupId: `bare-${process.pid}-${Date.now()}`,
    maxBytesPerPartition: 4_194_304,
  });
  await consumer.connect();
  await consumer.subscribe({ topics: [TOPIC], fromBeginning: true });
  let seen = 0;
  let first;
  let bytes = 0;
  const wanted = total(ends) - total(from);
  const elapsed = await new Promise((resolve, reject) => {
    consumer
      .run({
        partitionsConsumedConcurrently: PARTITIONS,
        eachBatch: async ({ batch, resolveOffset }) => {
          const fresh = batch.messages.filter(
            ({ offset }) => Number(offset) >= from[batch.partition],
          );
          first ??= { at: performance.now(), seen: fresh.length };
          for (const { value } of fresh) bytes += value.length;
          resolveOffset(batch.lastOffset());
          seen += fresh.length;
          if (seen >= wanted)
            resolve(((performance.now() - first.at) * wanted) / Math.max(1, wanted - first.seen));
        },
      })
      .catch(reject);
  });
  await consumer.disconnect();
  if (bytes === 0) throw new Error('the bare consumer saw no bytes');
  return (wanted / elapsed) * 1_000;
}

/** Events a second that the program counts, from its first committed batch to its last. */
async function count(engine, sql) {
  const log = createEventLog({ MQ_ENGINE: engine, REDIS_URL, KAFKA_BROKERS });
  await log.ensureTopic(TOPIC, PARTITIONS);
  const from = await log.endOffsets(TOPIC);
  await fill(log);
  const ends = await log.endOffsets(TOPIC);
  const counted = async () => {
    const [[{ n }]] = await sql.query(
      "SELECT SUM(read_cnt) AS n FROM interactives WHERE biz = 'bench'",
    );
    return Number(n ?? 0);
  };
  const before = await counted();
  const program = await startProgram({
    MQ_ENGINE: engine,
    CDC_ENGINE: engine === 'kafka' ? 'canal' : 'relay',
    ROLE: 'worker',
    CONSUMER_GROUPS: GROUP,
  });
  try {
    let first;
    let last;
    await until(
      'all events are counted',
      async () => {
        const now = { at: performance.now(), n: (await counted()) - before };
        if (now.n > 0) first ??= now;
        last = now;
        return now.n >= EVENTS;
      },
      { every: 5 },
    );
    if (last.n !== EVENTS) throw new Error(`${last.n} counted of ${EVENTS}`);
    // The first batch's own time lies before the first look that saw it.
    const rate = last.at === first.at ? NaN : ((last.n - first.n) / (last.at - first.at)) * 1_000;
    return { rate, from, ends };
  } finally {
    await program.stop();
    await log.close();
  }
}

// Its boot makes the tables.
await (await startProgram({})).stop();
const sql = await createConnection(MYSQL_URL);
const ours = { kafka: [], streams: [] };
const bare = [];
for (let round = 0; round < ROUNDS; round++) {
  const { rate, from, ends } = await count('kafka', sql);
  ours.kafka.push(rate);
  bare.push(await drain(from, ends));
  ours.streams.push((await count('streams', sql)).rate);
}
await sql.end();

row('consumer', 'events/s', 'of the bare drain');
const reference = median(bare);
row('bare KafkaJS eachBatch, does nothing', reference.toFixed(0), '1.00');
for (const [engine, rates] of Object.entries(ours))
  row(
    `webook batch consumer on ${engine}`,
    median(rates).toFixed(0),
    (median(rates) / reference).toFixed(2),
  );
