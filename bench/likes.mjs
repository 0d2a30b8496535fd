// Likes and unlikes a second over HTTP with 64 connections, on one hot object and on many, against a
// reference that runs one transaction a request. The program has all roles and capture on; the special
// case of ROLE=api, without capture and consumers, is named so. Rounds alternate between the two servers,
// so that the noise of the machine affects both; the figures are medians.
//   npm run bench -- likes
import { fileURLToPath } from 'node:url';
import { createConnection } from 'mysql2/promise';
import { checkCounters, LIKE_CASES, measureLikes, signInUsers } from './support/likes-load.mjs';
import { peakMegabytes, row, startProgram, startServer } from './support/program.mjs';
import { median } from './support/statistics.mjs';

const ROUNDS = 3;
const SECONDS = 5;
const ROLES = { '': {}, 'special, ROLE=api: ': { ROLE: 'api' } };

/** The reference has tables of its own: the program's capture must not follow them. */
async function referenceUrl() {
  const url = new URL(process.env.MYSQL_URL);
  const schema = url.pathname.slice(1);
  const own = `${schema}_reference`;
  const sql = await createConnection(url.href);
  await sql.query(`DROP DATABASE IF EXISTS ${own}`);
  await sql.query(`CREATE DATABASE ${own} CHARACTER SET utf8mb4`);
  for (const table of ['likes', 'interactives'])
    await sql.query(`CREATE TABLE ${own}.${table} LIKE ${schema}.${table}`);
  await sql.end();
  url.pathname = own;
  return url.href;
}

async function compare(prefix, program, reference) {
  const servers = {
    webook: { server: program, headersOf: await signInUsers(program) },
    reference: { server: reference, headersOf: (uid) => ({ 'x-user-id': String(uid) }) },
  };
  const measure = (name, objectOf) => {
    const { server, headersOf } = servers[name];
    return measureLikes(server, { headersOf, biz: `bench-${name}`, objectOf }, SECONDS);
  };
  for (const [title, objectOf] of Object.entries(LIKE_CASES)) {
    const results = { webook: [], reference: [] };
    for (const name of Object.keys(results)) await measure(name, objectOf);
    for (let round = 0; round < ROUNDS; round++)
      for (const name of Object.keys(results)) results[name].push(await measure(name, objectOf));
    const of = (name, key) => median(results[name].map((result) => result[key]));
    row(
      prefix + title,
      of('webook', 'rate').toFixed(0),
      of('reference', 'rate').toFixed(0),
      (of('webook', 'rate') / of('reference', 'rate')).toFixed(2),
      of('webook', 'p50'),
      of('webook', 'p99'),
      of('reference', 'p99'),
    );
  }
}

let program = await startProgram(ROLES['']);
const reference = await startServer(
  fileURLToPath(new URL('./support/one-transaction.mjs', import.meta.url)),
  { MYSQL_URL: await referenceUrl() },
  '/readyz',
);
try {
  row('likes and unlikes', 'webook /s', 'reference /s', 'ratio', 'p50 ms', 'p99 ms', 'ref p99 ms');
  for (const [prefix, env] of Object.entries(ROLES)) {
    program ??= await startProgram(env);
    await compare(prefix, program, reference);
    const megabytes = await peakMegabytes(program.pid);
    console.log(`${prefix}peak memory of webook ${megabytes.toFixed(0)} MB`);
    await program.stop();
    program = undefined;
  }
  await checkCounters(process.env.MYSQL_URL);
  console.log('Every counter is the number of its likes.');
} finally {
  await Promise.all([program?.stop(), reference.stop()]);
}
