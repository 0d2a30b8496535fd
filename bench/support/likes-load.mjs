// Likes and unlikes over HTTP with 64 connections. Each connection has its own users, who like and
// then take their likes back, so that every request changes a row.
import autocannon from 'autocannon';
import { createConnection } from 'mysql2/promise';
import { cpuSeconds, tokenOf } from './program.mjs';

const CONNECTIONS = 64;
const USERS = CONNECTIONS * 20;

/** By name, the object that a user likes. */
export const LIKE_CASES = {
  'one hot object': () => 1,
  'one object a user': (uid) => 1_000 + uid,
};

/** Signs the users in. Returns the function that gives the headers of one of them. */
export async function signInUsers({ url }) {
  const tokens = [];
  for (let uid = 1; uid <= USERS; uid++) tokens.push(await tokenOf(url, uid));
  return (uid) => ({ authorization: `Bearer ${tokens[uid - 1]}` });
}

/** What one connection sends, again and again. */
function requestsOf(connection, methods, { headersOf, biz, objectOf }) {
  const users = Array.from(
    { length: USERS / CONNECTIONS },
    (_, i) => 1 + connection + i * CONNECTIONS,
  );
  return methods.flatMap((method) =>
    users.map((uid) => ({
      method,
      path: `/api/interactive/${biz}/${objectOf(uid)}/like`,
      headers: headersOf(uid),
    })),
  );
}

async function send(url, methods, load, limit) {
  let connection = 0;
  const result = await autocannon({
    url,
    connections: CONNECTIONS,
    ...limit,
    setupClient: (client) => client.setRequests(requestsOf(connection++, methods, load)),
  });
  if (result.non2xx > 0 || result.errors > 0)
    throw new Error(
      `${load.biz}: ${result.non2xx} responses other than 2xx, ${result.errors} errors`,
    );
  return result;
}

/** One round: requests a second, latencies in ms, and the server's CPU µs per request. */
export async function measureLikes({ url, pid }, load, seconds) {
  const before = await cpuSeconds(pid);
  const { requests, latency, duration } = await send(url, ['PUT', 'DELETE'], load, {
    duration: seconds,
  });
  const cpu = (await cpuSeconds(pid)) - before;
  return {
    rate: requests.total / duration,
    p50: latency.p50,
    p99: latency.p99,
    cpu: (cpu / requests.total) * 1e6,
  };
}

/** Takes back the likes that a round has left, so that the next one starts with changes too. */
export const takeLikesBack = ({ url }, load) =>
  send(url, ['DELETE'], load, { amount: USERS, sampleInt: 100 });

/** @throws when a counter is not the number of its likes */
export async function checkCounters(mysqlUrl) {
  const sql = await createConnection(mysqlUrl);
  const [drifted] = await sql.query(
    `SELECT biz, biz_id, like_cnt FROM interactives i WHERE biz LIKE 'bench-%' AND like_cnt <>
       (SELECT COUNT(*) FROM likes l WHERE l.biz = i.biz AND l.biz_id = i.biz_id AND status = 1)`,
  );
  await sql.end();
  if (drifted.length > 0)
    throw new Error(`counters drifted: ${JSON.stringify(drifted.slice(0, 5))}`);
}
