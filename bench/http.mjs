// Reads of the counters over HTTP against a bare Nest + Fastify route that answers the same bytes:
// GET of one hot object (anonymous and signed in), POST query of 20. Rounds alternate between the
// two servers, so that the machine's noise meets both; the figures are medians.
//   npm run bench -- http
import { fileURLToPath } from 'node:url';
import autocannon from 'autocannon';
import {
  call,
  cpuSeconds,
  median,
  row,
  startProgram,
  startServer,
  tokenOf,
} from './support/program.mjs';

const WARM_UPS = 2;
const ROUNDS = 5;
const SECONDS = 4;
const CONNECTIONS = 32;

const program = await startProgram({});
const token = await tokenOf(program.url, 7);
const objects = Array.from({ length: 20 }, (_, i) => ({ biz: 'bench', bizId: 1_000 + i }));
for (const { biz, bizId } of objects)
  await call(`${program.url}/api/interactive/${biz}/${bizId}/like`, { method: 'PUT', token });

const path = '/api/interactive/bench/1000';
const query = JSON.stringify({ objects });
const bare = await startServer(
  fileURLToPath(new URL('./support/bare-nest.mjs', import.meta.url)),
  {
    GET_ANSWER: JSON.stringify(await call(program.url + path, { token })),
    QUERY_ANSWER: JSON.stringify(
      await call(`${program.url}/api/interactive/query`, {
        method: 'POST',
        body: { objects },
        token,
      }),
    ),
  },
  '/readyz',
);

const signedIn = { authorization: `Bearer ${token}` };
const cases = [
  { name: 'GET one, anonymous', path, headers: {} },
  { name: 'GET one, signed in', path, headers: signedIn },
  {
    name: 'POST query of 20, signed in',
    path: '/api/interactive/query',
    method: 'POST',
    body: query,
    headers: { ...signedIn, 'content-type': 'application/json' },
  },
];

async function measure(server, { path: target, ...rest }) {
  const before = await cpuSeconds(server.pid);
  const result = await autocannon({
    url: server.url + target,
    connections: CONNECTIONS,
    duration: SECONDS,
    ...rest,
    name: undefined,
  });
  if (result.non2xx > 0 || result.errors > 0)
    throw new Error(`${target}: ${result.non2xx} answers not 2xx, ${result.errors} errors`);
  const requests = result.requests.total;
  return {
    rate: result.requests.average,
    p99: result.latency.p99,
    cpu: (((await cpuSeconds(server.pid)) - before) / requests) * 1e6,
  };
}

try {
  row('case', 'webook req/s', 'bare req/s', 'ratio', 'p99 ms', 'CPU us', 'bare CPU us');
  // Servers run for days: what they do in their first seconds, before all is compiled, is no figure.
  for (let round = 0; round < WARM_UPS; round++)
    for (const each of cases) for (const server of [program, bare]) await measure(server, each);
  for (const each of cases) {
    const ours = [];
    const theirs = [];
    for (let round = 0; round < ROUNDS; round++) {
      ours.push(await measure(program, each));
      theirs.push(await measure(bare, each));
    }
    const rate = median(ours.map((r) => r.rate));
    const reference = median(theirs.map((r) => r.rate));
    row(
      each.name,
      rate.toFixed(0),
      reference.toFixed(0),
      (rate / reference).toFixed(2),
      median(ours.map((r) => r.p99)).toFixed(1),
      median(ours.map((r) => r.cpu)).toFixed(0),
      median(theirs.map((r) => r.cpu)).toFixed(0),
    );
  }
} finally {
  await bare.stop();
  await program.stop();
}
