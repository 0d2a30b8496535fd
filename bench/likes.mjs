// Likes and unlikes per second over HTTP with 64 connections, on one hot object and on many, against
// a reference that runs one transaction a request. Every request is a transition: each connection
// has users of its own, who like and take back in turns. Rounds alternate between the two servers,
// so that the machine's noise meets both; the figures are medians. Webook runs as ROLE=api: the
// relay of a worker would follow the reference's rows too.
//   npm run bench -- likes
import { fileURLToPath } from 'node:url';
import autocannon from 'autocannon';
import { createConnection } from 'mysql2/promise';
import { median, row, startProgram, startServer, tokenOf } from './support/program.mjs';

const ROUNDS = 3;
const SECONDS = 5;
const CONNECTIONS = 64;
const USERS = CONNECTIONS * 20;

const program = await startProgram({ ROLE: 'api' });
const reference = await startServer(
  fileURLToPath(new URL('./support/one-transaction.mjs', import.meta.url)),
  {},
  '/readyz',
);
const tokens = [];
for (let uid = 1; uid <= USERS; uid++) tokens.push(await tokenOf(program.url, uid));

const servers = {
  webook: {
    url: program.url,
    headersOf: (uid) => ({ authorization: `Bearer ${tokens[uid - 1]}` }),
  },
  reference: { url: reference.url, headersOf: (uid) => ({ 'x-user-id': String(uid) }) },
};
const cases = {
  'one hot object': () => 1,
  'one object a user': (uid) => 1_000 + uid,
};

/** What one connection sends, again and again: its users like, then take back. */
function requestsOf(connection, { headersOf }, biz, objectOf) {
  const users = Array.from(
    { length: USERS / CONNECTIONS },
    (_, i) => 1 + connection + i * CONNECTIONS,
  );
  return ['PUT', 'DELETE'].flatMap((method) =>
    users.map((uid) => ({
      method,
      path: `/api/interactive/${biz}/${objectOf(uid)}/like`,
      headers: headersOf(uid),
    })),
  );
}

async function measure(name, objectOf) {
  const server = servers[name];
  let connection = 0;
  const result = await autocannon({
    url: server.url,
    connections: CONNECTIONS,
    duration: SECONDS,
    setupClient: (client) =>
      client.setRequests(requestsOf(connection++, server, `bench-${name}`, objectOf)),
  });
  if (result.non2xx > 0 || result.errors > 0)
    throw new Error(`${name}: ${result.non2xx} answers not 2xx, ${result.errors} errors`);
  return { rate: result.requests.average, p50: result.latency.p50, p99: result.latency.p99 };
}

/** Objects whose counter is not the number of its likes. */
async function drift() {
  const sql = await createConnection(process.env.MYSQL_URL);
  const [rows] = await sql.query(
    `SELECT biz, biz_id, like_cnt FROM interactives i WHERE biz LIKE 'bench-%' AND like_cnt <>
       (SELECT COUNT(*) FROM likes l WHERE l.biz = i.biz AND l.biz_id = i.biz_id AND status = 1)`,
  );
  await sql.end();
  return rows;
}

try {
  row('likes and unlikes', 'webook /s', 'reference /s', 'ratio', 'p50 ms', 'p99 ms', 'ref p99 ms');
  for (const [title, objectOf] of Object.entries(cases)) {
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
  const drifted = await drift();
  if (drifted.length > 0)
    throw new Error(`counters drifted: ${JSON.stringify(drifted.slice(0, 5))}`);
  console.log('Every counter is the number of its likes.');
} finally {
  await Promise.all([program.stop(), reference.stop()]);
}
