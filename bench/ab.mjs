// The program of this checkout against that of another one, on one machine and one stack: both take
// short rounds in turns, and what counts is the ratio of each pair of rounds, so that slow changes of
// the machine affect both alike. Ends with code 1 when this checkout is slower beyond doubt.
//   npm run bench -- ab <folder of another checkout> http|likes|consume [--pairs N]
import { Redis } from 'ioredis';
import { createConnection } from 'mysql2/promise';
import { parseComparison } from './support/comparison.mjs';
import { measureConsumer } from './support/consume-load.mjs';
import { measureReads, prepareReads } from './support/http-load.mjs';
import {
  checkCounters,
  LIKE_CASES,
  measureLikes,
  signInUsers,
  takeLikesBack,
} from './support/likes-load.mjs';
import { root, row, startProgram } from './support/program.mjs';
import { median, orderOf, pairedRatio } from './support/statistics.mjs';

/** This checkout is slower when the whole interval of a case lies below. */
const SLOWER_BELOW = 0.97;
const HTTP_SECONDS = 3;
const LIKES_SECONDS = 4;

const { checkout, benchmark, pairs } = parseComparison(process.argv.slice(2));
const { MYSQL_URL, REDIS_URL, KAFKA_BROKERS } = process.env;

/** An empty MySQL schema and Redis database for one side: two versions may not share their tables. */
async function makeStores(name, redisDatabase) {
  const schema = `webook_ab_${name}`;
  const sql = await createConnection(MYSQL_URL);
  await sql.query(`DROP DATABASE IF EXISTS ${schema}`);
  await sql.query(`CREATE DATABASE ${schema} CHARACTER SET utf8mb4`);
  await sql.end();
  const mysqlUrl = new URL(MYSQL_URL);
  mysqlUrl.pathname = schema;
  const redisUrl = new URL(REDIS_URL);
  redisUrl.pathname = String(redisDatabase);
  const env = { MYSQL_URL: mysqlUrl.href, REDIS_URL: redisUrl.href, KAFKA_BROKERS };
  await emptyRedis(env);
  return env;
}

async function emptyRedis({ REDIS_URL: url }) {
  const redis = new Redis(url);
  await redis.flushdb();
  await redis.quit();
}

/** The relay then starts at the end of the binlog, and not before the rows of the other side. */
async function forgetRelayPosition({ MYSQL_URL: url }) {
  const sql = await createConnection(url);
  await sql.query('DELETE FROM cdc_positions');
  await sql.end();
}

const sides = [
  { folder: root, env: await makeStores('this', 1) },
  { folder: checkout, env: await makeStores('other', 2) },
];

/** Both programs, which stay up from round to round: a restart would measure how code is compiled. */
async function startBoth(env) {
  const programs = [];
  for (const side of sides) programs.push(await startProgram({ ...side.env, ...env }, side.folder));
  const stop = () => Promise.all(programs.map((program) => program.stop()));
  // What one program does in the background must not slow the other down.
  const onlyOne = (side) => {
    programs[1 - side].suspend();
    programs[side].resume();
    return programs[side];
  };
  return { programs, onlyOne, stop };
}

/**
 * By benchmark: its cases, each with the function that measures a round of side 0 or 1, and what is
 * done after the last round.
 */
const COMPARISONS = {
  async http() {
    const { programs, onlyOne, stop } = await startBoth({});
    const prepared = await Promise.all(programs.map(prepareReads));
    const cases = prepared[0].cases.map(({ name }, i) => ({
      name,
      measure: (side) => measureReads(onlyOne(side), prepared[side].cases[i], HTTP_SECONDS),
    }));
    return { cases, finish: stop };
  },

  async likes() {
    const { programs, onlyOne, stop } = await startBoth({ ROLE: 'api' });
    const headers = await Promise.all(programs.map(signInUsers));
    const cases = Object.entries(LIKE_CASES).map(([name, objectOf]) => ({
      name,
      measure: async (side) => {
        const load = { headersOf: headers[side], biz: 'bench-ab', objectOf };
        const program = onlyOne(side);
        await takeLikesBack(program, load);
        return measureLikes(program, load, LIKES_SECONDS);
      },
    }));
    const finish = async () => {
      for (const { env } of sides) await checkCounters(env.MYSQL_URL);
      await stop();
    };
    return { cases, finish };
  },

  // Kafka's topics are shared, so only one program runs at a time.
  async consume() {
    const { stop } = await startBoth({ ROLE: 'api' });
    await stop();
    const cases = ['streams', 'kafka'].map((engine) => ({
      name: `read events on ${engine === 'kafka' ? 'Kafka' : 'Redis Streams'}`,
      measure: async (side) => {
        const { env, folder } = sides[side];
        await emptyRedis(env);
        await forgetRelayPosition(env);
        return measureConsumer(engine, env, folder);
      },
    }));
    return { cases, finish: () => {} };
  },
};

/** Rounds of one case in pairs. Returns the results of side 0 and of side 1, pair by pair. */
async function measurePairs(measure) {
  const results = [[], []];
  for (let pair = 0; pair < pairs; pair++)
    for (const side of orderOf(pair)) results[side].push(await measure(side));
  return results;
}

const formatted = (value) => value.toFixed(value < 100 ? 1 : 0);

const withInterval = ({ ratio, low, high }) =>
  `${ratio.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`;

/** The ratio this/other of a figure, and the median of each side. */
function compare(results, key) {
  const [ours, theirs] = results.map((rounds) => rounds.map((round) => round[key]));
  return {
    ...pairedRatio(ours, theirs),
    medians: [ours, theirs].map((values) => formatted(median(values))),
  };
}

console.log(`this:  ${root}\nother: ${checkout}\n${pairs} pairs of rounds`);
const { cases, finish } = await COMPARISONS[benchmark]();
for (const { measure } of cases) for (const side of [0, 1]) await measure(side);
row('case', 'this /s', 'other /s', 'this CPU us', 'other CPU us', 'CPU this/other');
const rates = [];
for (const { name, measure } of cases) {
  const results = await measurePairs(measure);
  const rate = compare(results, 'rate');
  const cpu = compare(results, 'cpu');
  row(name, ...rate.medians, ...cpu.medians, withInterval(cpu));
  rates.push({ name, ...rate });
}
await finish();

console.log('\nrate this/other, with its 95 % interval');
for (const { name, ...rate } of rates) console.log(`${name}: ${withInterval(rate)}`);
const slower = rates.filter(({ high }) => high < SLOWER_BELOW);
for (const { name, high } of slower)
  console.log(
    `SLOWER: ${name}: the whole interval, up to ${high.toFixed(3)}, lies below ${SLOWER_BELOW}.`,
  );
if (slower.length > 0) process.exitCode = 1;
