// Reads of counters over HTTP. 2,000 users ask for 1,000 objects, popular ones more often: the object of
// rank r with a probability of about 1/r. One case is special and named so: one object, one user.
import autocannon from 'autocannon';
import { call, cpuSeconds, tokenOf } from './program.mjs';

const CONNECTIONS = 32;
const OBJECTS = 1_000;
const USERS = 2_000;
const QUERY_SIZE = 20;
/** Different requests of a connection, which it sends again and again. */
const GETS = 4_000;
const QUERIES = 400;
const BIZ = 'bench';
const QUERY_PATH = '/api/interactive/query';

const times = (count, make) => Array.from({ length: count }, (_, i) => make(i));

/** Mulberry32 by Tommy Ettinger: every round of every server gets the same requests. */
function randomOf(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** 1 to 1,000, log-uniform. */
const rankBy = (random) => Math.floor((OBJECTS + 1) ** random());
const pathOf = (bizId) => `/api/interactive/${BIZ}/${bizId}`;

function distinctObjects(random) {
  const ids = new Set();
  while (ids.size < QUERY_SIZE) ids.add(rankBy(random));
  return [...ids].map((bizId) => ({ biz: BIZ, bizId }));
}

/** Likes every object once. Returns the cases, and the responses to the two kinds of request. */
export async function prepareReads({ url }) {
  const headers = [];
  for (let uid = 1; uid <= USERS; uid++)
    headers.push({ authorization: `Bearer ${await tokenOf(url, uid)}` });
  const [{ authorization }] = headers;
  const token = authorization.slice('Bearer '.length);
  for (let bizId = 1; bizId <= OBJECTS; bizId++)
    await call(`${url}${pathOf(bizId)}/like`, { method: 'PUT', token });
  const userBy = (random) => headers[Math.floor(random() * USERS)];
  const queryOf = (objects) => ({
    method: 'POST',
    path: QUERY_PATH,
    body: JSON.stringify({ objects }),
  });
  return {
    cases: [
      {
        name: 'GET, anonymous',
        requests: (random) => times(GETS, () => ({ path: pathOf(rankBy(random)) })),
      },
      {
        name: 'GET, signed in',
        requests: (random) =>
          times(GETS, () => ({ path: pathOf(rankBy(random)), headers: userBy(random) })),
      },
      {
        name: 'POST query of 20, signed in',
        requests: (random) =>
          times(QUERIES, () => ({
            ...queryOf(distinctObjects(random)),
            headers: { ...userBy(random), 'content-type': 'application/json' },
          })),
      },
      {
        name: 'special: GET of one object by one user',
        requests: () => [{ path: pathOf(1), headers: headers[0] }],
      },
    ],
    one: await call(url + pathOf(1), { token }),
    many: await call(url + QUERY_PATH, {
      method: 'POST',
      body: { objects: times(QUERY_SIZE, (i) => ({ biz: BIZ, bizId: i + 1 })) },
      token,
    }),
  };
}

/** One round of a case: requests a second, p99 in ms, and the server's CPU µs per request. */
export async function measureReads(server, { name, requests: requestsOf }, seconds) {
  let connection = 0;
  const before = await cpuSeconds(server.pid);
  const { requests, latency, non2xx, errors, duration } = await autocannon({
    url: server.url,
    connections: CONNECTIONS,
    duration: seconds,
    setupClient: (client) => client.setRequests(requestsOf(randomOf(connection++))),
  });
  const cpu = (await cpuSeconds(server.pid)) - before;
  if (non2xx > 0 || errors > 0)
    throw new Error(`${name}: ${non2xx} responses other than 2xx, ${errors} errors`);
  return {
    rate: requests.total / duration,
    p99: latency.p99,
    cpu: (cpu / requests.total) * 1e6,
  };
}
