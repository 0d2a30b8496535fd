// Reads of the counters over HTTP against a bare Nest and Fastify route that returns as many bytes: 2,000
// users ask for 1,000 objects by GET (anonymous and signed in) and by POST query of 20; and the special
// case of one object and one user, whose requests all share one Redis command. The program has all roles
// and capture on. Rounds alternate between the two servers, so that the noise of the machine affects
// both; the figures are medians.
//   npm run bench -- http
import { fileURLToPath } from 'node:url';
import { measureReads, prepareReads } from './support/http-load.mjs';
import { peakMegabytes, row, startProgram, startServer } from './support/program.mjs';
import { median } from './support/statistics.mjs';

const WARM_UPS = 2;
const ROUNDS = 5;
const SECONDS = 4;

const program = await startProgram({});
const { cases, one, many } = await prepareReads(program);
const bare = await startServer(
  fileURLToPath(new URL('./support/bare-nest.mjs', import.meta.url)),
  { GET_ANSWER: JSON.stringify(one), QUERY_ANSWER: JSON.stringify(many) },
  '/readyz',
);

try {
  row('case', 'webook req/s', 'bare req/s', 'ratio', 'p99 ms', 'CPU us', 'bare CPU us');
  // Servers run for days: their first seconds, before all code is compiled, must not count.
  for (let round = 0; round < WARM_UPS; round++)
    for (const each of cases)
      for (const server of [program, bare]) await measureReads(server, each, SECONDS);
  for (const each of cases) {
    const ours = [];
    const theirs = [];
    for (let round = 0; round < ROUNDS; round++) {
      ours.push(await measureReads(program, each, SECONDS));
      theirs.push(await measureReads(bare, each, SECONDS));
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
  const memory = [await peakMegabytes(program.pid), await peakMegabytes(bare.pid)];
  console.log(`peak memory: ${memory.map((each) => each.toFixed(0)).join(' MB, bare ')} MB`);
  console.log(
    `start to ready: ${program.startMs.toFixed(0)} ms, bare ${bare.startMs.toFixed(0)} ms`,
  );
} finally {
  await bare.stop();
  await program.stop();
}
