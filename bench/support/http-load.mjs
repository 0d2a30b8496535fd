// Reads of counters over HTTP: GET of one hot object (anonymous and signed in), POST query of 20.
import autocannon from 'autocannon';
import { call, cpuSeconds, tokenOf } from './program.mjs';

const CONNECTIONS = 32;
const PATH = '/api/interactive/bench/1000';
const QUERY_PATH = '/api/interactive/query';

/** Likes the objects that are read. Returns the cases, and the responses to the two kinds of request. */
export async function prepareReads({ url }) {
  const token = await tokenOf(url, 7);
  const objects = Array.from({ length: 20 }, (_, i) => ({ biz: 'bench', bizId: 1_000 + i }));
  for (const { biz, bizId } of objects)
    await call(`${url}/api/interactive/${biz}/${bizId}/like`, { method: 'PUT', token });
  const signedIn = { authorization: `Bearer ${token}` };
  return {
    cases: [
      { name: 'GET one, anonymous', path: PATH, request: {} },
      { name: 'GET one, signed in', path: PATH, request: { headers: signedIn } },
      {
        name: 'POST query of 20, signed in',
        path: QUERY_PATH,
        request: {
          method: 'POST',
          body: JSON.stringify({ objects }),
          headers: { ...signedIn, 'content-type': 'application/json' },
        },
      },
    ],
    one: await call(url + PATH, { token }),
    many: await call(url + QUERY_PATH, { method: 'POST', body: { objects }, token }),
  };
}

/** One round of a case: requests a second, p99 in ms, and the server's CPU µs per request. */
export async function measureReads(server, { path, request }, seconds) {
  const before = await cpuSeconds(server.pid);
  const { requests, latency, non2xx, errors, duration } = await autocannon({
    ...request,
    url: server.url + path,
    connections: CONNECTIONS,
    duration: seconds,
  });
  const cpu = (await cpuSeconds(server.pid)) - before;
  if (non2xx > 0 || errors > 0)
    throw new Error(`${path}: ${non2xx} responses other than 2xx, ${errors} errors`);
  return {
    rate: requests.total / duration,
    p99: latency.p99,
    cpu: (cpu / requests.total) * 1e6,
  };
}
