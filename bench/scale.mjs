// How fast a backlog of messages drains, by batch size, partitions and instances, which are what an
// operator can vary. Each instance is its own process on the real log. A call of the handler costs a
// fixed time: either it waits for 5 ms (a remote store), which a process does for all its partitions
// at once, or it computes for 5 ms, which takes a core.
//   npm run bench -- scale
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { row, sleep } from './support/program.mjs';
import { median } from './support/statistics.mjs';

const require = createRequire(import.meta.url);
const { createEventLog } = require('../dist/src/messaging/messaging.module.js');

const MESSAGES = 6_000;
/** How long one call of the handler takes, however many messages it gets. */
const HANDLER_MS = 5;
const ROUNDS = 3;
const { REDIS_URL, KAFKA_BROKERS } = process.env;
const open = (engine) => createEventLog({ MQ_ENGINE: engine, REDIS_URL, KAFKA_BROKERS });

function compute(milliseconds) {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

/** One instance: consumes until it is disconnected, and reports how many messages it has handled. */
async function member({ engine, topic, size, cost }) {
  const log = open(engine);
  await log.consume(
    { topic, group: topic, size, lingerMs: 0 },
    {
      onStart: async () => {},
      onMessages: async (_, messages) => {
        if (cost === 'waits') await sleep(HANDLER_MS);
        else compute(HANDLER_MS);
        process.send(messages.length);
      },
    },
  );
  process.send(0);
  await once(process, 'disconnect');
  await log.close();
}

let serial = 0;

/** Messages a second, from the append to the last one that was handled. */
async function drain(engine, { partitions, size, instances, cost }) {
  const topic = `scale-${process.pid}-${Date.now()}-${serial++}`;
  const log = open(engine);
  await log.ensureTopic(topic, partitions);
  const task = JSON.stringify({ engine, topic, size, cost });
  const members = Array.from({ length: instances }, () =>
    fork(fileURLToPath(import.meta.url), ['member', task], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    }),
  );
  await Promise.all(members.map((each) => once(each, 'message')));
  // The members must have divided the partitions before there is a backlog.
  await sleep(4_000);
  let handled = 0;
  const done = new Promise((resolve) => {
    for (const each of members)
      each.on('message', (count) => {
        handled += count;
        if (handled >= MESSAGES) resolve();
      });
  });
  const value = Buffer.alloc(100, 0x61);
  const started = performance.now();
  await log.append(
    topic,
    'all',
    Array.from({ length: MESSAGES }, (_, i) => ({ key: null, value, partition: i % partitions })),
  );
  await done;
  const elapsed = performance.now() - started;
  for (const each of members) each.disconnect();
  await Promise.all([...members.map((each) => once(each, 'exit')), log.close()]);
  return (MESSAGES / elapsed) * 1_000;
}

const CASES = [
  { partitions: 1, size: 10, instances: 1, cost: 'waits' },
  { partitions: 1, size: 100, instances: 1, cost: 'waits' },
  { partitions: 6, size: 10, instances: 1, cost: 'waits' },
  { partitions: 6, size: 100, instances: 1, cost: 'waits' },
  { partitions: 6, size: 10, instances: 1, cost: 'computes' },
  { partitions: 6, size: 10, instances: 2, cost: 'computes' },
];

async function compare() {
  console.log(`${cpus().length} cores`);
  for (const engine of ['streams', 'kafka']) {
    row(`${engine}: partitions, batch size, instances`, 'handler', 'messages/s', 'ratio');
    let first;
    for (const each of CASES) {
      const rates = [];
      for (let round = 0; round < ROUNDS; round++) rates.push(await drain(engine, each));
      const rate = median(rates);
      // Against the first case whose handler costs the same.
      if (first?.cost !== each.cost) first = { cost: each.cost, rate };
      const { partitions, size, instances, cost } = each;
      row(
        `${partitions}, ${size}, ${instances}`,
        cost,
        rate.toFixed(0),
        (rate / first.rate).toFixed(1),
      );
    }
  }
}

const [role, task] = process.argv.slice(2);
await (role === 'member' ? member(JSON.parse(task)) : compare());
