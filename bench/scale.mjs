// How a backlog of read events drains: by batch size, by partitions worked at in parallel, and by
// instances, while each batch costs a fixed time (a slow store, a remote call). In-process members on
// the real log; what is varied is what an operator can vary.
//   npm run bench -- scale
import { createRequire } from 'node:module';
import { median, row, sleep } from './support/program.mjs';

const require = createRequire(import.meta.url);
const { createEventLog } = require('../dist/src/messaging/messaging.module.js');

const MESSAGES = 6_000;
/** Milliseconds that one call of the handler takes, whatever it is given. */
const COST = 5;
const ROUNDS = 3;
const { REDIS_URL, KAFKA_BROKERS } = process.env;

let serial = 0;

async function drain(engine, { partitions, size, instances }) {
  const topic = `scale-${process.pid}-${Date.now()}-${serial++}`;
  const open = () => createEventLog({ MQ_ENGINE: engine, REDIS_URL, KAFKA_BROKERS });
  const log = open();
  await log.ensureTopic(topic, partitions);
  const value = Buffer.alloc(100, 0x61);
  const members = [];
  let handled = 0;
  let started;
  let finish;
  const done = new Promise((resolve) => (finish = resolve));
  for (let i = 0; i < instances; i++) {
    const member = open();
    members.push(member);
    await member.consume(
      { topic, group: topic, size, lingerMs: 0 },
      {
        onStart: async () => {},
        onMessages: async (_, messages) => {
          started ??= performance.now();
          await sleep(COST);
          handled += messages.length;
          if (handled >= MESSAGES) finish(performance.now() - started);
        },
      },
    );
  }
  // The members have divided the partitions before the backlog is there.
  await sleep(4_000);
  await log.append(
    topic,
    'all',
    Array.from({ length: MESSAGES }, (_, i) => ({ key: null, value, partition: i % partitions })),
  );
  const elapsed = await done;
  await Promise.all([...members, log].map((each) => each.close()));
  return (MESSAGES / elapsed) * 1_000;
}

const CASES = [
  { partitions: 1, size: 10, instances: 1 },
  { partitions: 1, size: 100, instances: 1 },
  { partitions: 3, size: 10, instances: 1 },
  { partitions: 6, size: 10, instances: 1 },
  { partitions: 6, size: 10, instances: 2 },
  { partitions: 6, size: 100, instances: 2 },
];

for (const engine of ['streams', 'kafka']) {
  row(`${engine}: partitions, batch size, instances`, 'messages/s', 'of the first');
  let first;
  for (const each of CASES) {
    const rates = [];
    for (let round = 0; round < ROUNDS; round++) rates.push(await drain(engine, each));
    const rate = median(rates);
    first ??= rate;
    const { partitions, size, instances } = each;
    row(`${partitions}, ${size}, ${instances}`, rate.toFixed(0), (rate / first).toFixed(1));
  }
}
