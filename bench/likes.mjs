// Likes and unlikes a second over HTTP with 64 connections, on one hot object and on many, against a
// reference that runs one transaction a request. Rounds alternate between the two servers, so that the
// noise of the machine affects both; the figures are medians. Webook runs as ROLE=api: the relay of a
// worker would read the reference's rows too.
//   npm run bench -- likes
import { fileURLToPath } from 'node:url';
import { checkCounters, LIKE_CASES, measureLikes, signInUsers } from './support/likes-load.mjs';
import { row, startProgram, startServer } from './support/program.mjs';
import { median } from './support/statistics.mjs';

const ROUNDS = 3;
const SECONDS = 5;

const program = await startProgram({ ROLE: 'api' });
const reference = await startServer(
  fileURLToPath(new URL('./support/one-transaction.mjs', import.meta.url)),
  {},
  '/readyz',
);
const servers = {
  webook: { server: program, headersOf: await signInUsers(program) },
  reference: { server: reference, headersOf: (uid) => ({ 'x-user-id': String(uid) }) },
};

function measure(name, objectOf) {
  const { server, headersOf } = servers[name];
  return measureLikes(server, { headersOf, biz: `bench-${name}`, objectOf }, SECONDS);
}

try {
  row('likes and unlikes', 'webook /s', 'reference /s', 'ratio', 'p50 ms', 'p99 ms', 'ref p99 ms');
  for (const [title, objectOf] of Object.entries(LIKE_CASES)) {
    const results = { webook: [], reference: [] };
    for (const name of Object.keys(results)) await measure(name, objectOf);
    for (let round = 0; round < ROUNDS; round++)
      for (const name of Object.keys(results)) results[name].push(await measure(name, objectOf));
    const of = (name, key) => median(results[name].map((result) => result[key]));
    row(
      title,
      of('webook', 'rate').toFixed(0),
      of('reference', 'rate').toFixed(0),
      (of('webook', 'rate') / of('reference', 'rate')).toFixed(2),
      of('webook', 'p50'),
      of('webook', 'p99'),
      of('reference', 'p99'),
    );
  }
  await checkCounters(process.env.MYSQL_URL);
  console.log('Every counter is the number of its likes.');
} finally {
  await Promise.all([program.stop(), reference.stop()]);
}
