// Read events that the batch consumer counts, exactly once into MySQL.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createConnection } from 'mysql2/promise';
import { cpuSeconds, root, startProgram, until } from './program.mjs';

const EVENTS = 300_000;
const ARTICLES = 1_000;
const GROUP = 'interactive';

/** The parts of a checkout's build that append its own events, in the form that its program reads. */
function messagingOf(checkout) {
  const require = createRequire(join(checkout, 'package.json'));
  const { createEventLog } = require('./dist/src/messaging/messaging.module.js');
  const { articleReadTopic } = require('./dist/src/article/index.js');
  const { partitionOfKey } = require('./dist/src/messaging/partitioner.js');
  // KafkaJS retries what a cold broker refuses; only what fails in the end is of interest.
  require('@nestjs/common').Logger.overrideLogger(['warn', 'error', 'fatal']);
  return { createEventLog, partitionOfKey, topic: articleReadTopic };
}

/** Appends messages as the publisher creates them: keyed by the article, spread over the partitions. */
async function fill(log, { topic, partitionOfKey }) {
  const messages = Array.from({ length: EVENTS }, (_, i) => {
    const event = { Aid: (i % ARTICLES) + 1, Uid: i, Biz: 'bench' };
    const key = String(event.Aid);
    return {
      key,
      value: Buffer.from(JSON.stringify(event)),
      partition: partitionOfKey(key, topic.partitions),
    };
  });
  for (let i = 0; i < EVENTS; i += 10_000)
    await log.append(topic.name, 'all', messages.slice(i, i + 10_000));
}

/** Moves the group past what another version or a broken run has left in the topic. */
async function skipOld(log, topic, ends) {
  const skip = async () => {
    const lag = await log.lag(GROUP, topic);
    if (lag.some((messages) => messages > 0)) await log.rewind(GROUP, topic, ends);
    return true;
  };
  // A cold broker refuses questions about groups for some seconds.
  const whenUnavailable = (error) => {
    if (error.code !== 'UNAVAILABLE') throw error;
  };
  await until('the group is at the end of the topic', () => skip().catch(whenUnavailable));
}

async function countedEvents(sql) {
  const [[{ n }]] = await sql.query(
    "SELECT SUM(read_cnt) AS n FROM interactives WHERE biz = 'bench'",
  );
  return Number(n ?? 0);
}

/** What a new process of the program does between its first commit and its last. */
async function countAll(sql, env, checkout) {
  const before = await countedEvents(sql);
  const program = await startProgram(env, checkout);
  try {
    let first;
    let last;
    await until(
      'all events are counted',
      async () => {
        const now = { at: performance.now(), n: (await countedEvents(sql)) - before };
        if (now.n > 0) first ??= { ...now, cpu: await cpuSeconds(program.pid) };
        last = now;
        return now.n >= EVENTS;
      },
      { every: 5 },
    );
    if (last.n !== EVENTS) throw new Error(`${last.n} events were counted instead of ${EVENTS}`);
    // The time of the first batches lies before the poll that saw them, so they do not count.
    const events = last.n - first.n;
    if (events === 0) throw new Error('the events were counted between two polls');
    const cpu = (await cpuSeconds(program.pid)) - first.cpu;
    return { rate: (events / (last.at - first.at)) * 1_000, cpu: (cpu / events) * 1e6 };
  } finally {
    await program.stop();
  }
}

/**
 * One round: fills the topic and lets the program count it. Returns events a second, the program's CPU
 * µs per event, and the offsets between which the events lie, by partition. The tables must exist.
 * @param env the engine and the stack, as the program reads them
 */
export async function measureConsumer(engine, env, checkout = root) {
  const { createEventLog, ...load } = messagingOf(checkout);
  const { name, partitions } = load.topic;
  const log = createEventLog({ ...env, MQ_ENGINE: engine });
  const sql = await createConnection(env.MYSQL_URL);
  try {
    await log.ensureTopic(name, partitions);
    const from = await log.endOffsets(name);
    await skipOld(log, name, from);
    await fill(log, load);
    const ends = await log.endOffsets(name);
    const counted = await countAll(
      sql,
      {
        ...env,
        MQ_ENGINE: engine,
        CDC_ENGINE: engine === 'kafka' ? 'canal' : 'relay',
        ROLE: 'worker',
        CONSUMER_GROUPS: GROUP,
      },
      checkout,
    );
    return { ...counted, topic: name, from, ends };
  } finally {
    await sql.end();
    await log.close();
  }
}
