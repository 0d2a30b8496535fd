// Read events a second that the batch consumer counts, exactly once into MySQL, on Kafka and on
// Redis Streams, against a bare KafkaJS eachBatch drain of the same messages that does nothing.
//   npm run bench -- consume
import { Kafka, logLevel } from 'kafkajs';
import { measureConsumer } from './support/consume-load.mjs';
import { row, startProgram } from './support/program.mjs';
import { median } from './support/statistics.mjs';

const ROUNDS = 3;
const { MYSQL_URL, REDIS_URL, KAFKA_BROKERS } = process.env;
const stack = { MYSQL_URL, REDIS_URL, KAFKA_BROKERS };

const total = (values) => values.reduce((sum, value) => sum + value, 0);

/** Messages a second that a bare consumer reads of the topic's newest ones. */
async function drain({ topic, from, ends }) {
  const kafka = new Kafka({ brokers: KAFKA_BROKERS.split(','), logLevel: logLevel.NOTHING });
  const consumer = kafka.consumer({
    groupId: `bare-${process.pid}-${Date.now()}`,
    maxBytesPerPartition: 4_194_304,
  });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  let startedAt;
  consumer.on(consumer.events.GROUP_JOIN, () => {
    // Older messages of the topic must not count, and the first fetch must.
    from.forEach((offset, partition) =>
      consumer.seek({ topic, partition, offset: String(offset) }),
    );
    startedAt = performance.now();
  });
  let seen = 0;
  let bytes = 0;
  const wanted = total(ends) - total(from);
  const elapsed = await new Promise((resolve, reject) => {
    consumer
      .run({
        partitionsConsumedConcurrently: ends.length,
        eachBatch: async ({ batch, resolveOffset }) => {
          const fresh = batch.messages.filter(
            ({ offset }) => Number(offset) >= from[batch.partition],
          );
          for (const { value } of fresh) bytes += value.length;
          resolveOffset(batch.lastOffset());
          seen += fresh.length;
          if (seen >= wanted) resolve(performance.now() - startedAt);
        },
      })
      .catch(reject);
  });
  await consumer.disconnect();
  if (bytes === 0) throw new Error('the bare consumer saw no bytes');
  return (wanted / elapsed) * 1_000;
}

// Its boot creates the tables.
await (await startProgram({})).stop();
const ours = { kafka: [], streams: [] };
const bare = [];
for (let i = 0; i < ROUNDS; i++) {
  const round = await measureConsumer('kafka', stack);
  ours.kafka.push(round.rate);
  bare.push(await drain(round));
  ours.streams.push((await measureConsumer('streams', stack)).rate);
}

row('consumer', 'events/s', 'of the bare drain');
const reference = median(bare);
row('bare KafkaJS eachBatch, does nothing', reference.toFixed(0), '1.00');
for (const [engine, rates] of Object.entries(ours))
  row(
    `webook batch consumer on ${engine}`,
    median(rates).toFixed(0),
    (median(rates) / reference).toFixed(2),
  );
