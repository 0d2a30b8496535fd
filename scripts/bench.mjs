// npm run bench -- [name …] [--keep] [arguments of the benchmark]: the benchmarks of bench/, each in a
// process of its own, on a private stack.
// npm run bench -- ab <folder of another checkout> <benchmark> [--pairs N] [--keep]: the program of this
// checkout against that of another one.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseComparison } from '../bench/support/comparison.mjs';
import { requireBuild } from './build.mjs';
import { endScripts, exitOf, spawnScript } from './program.mjs';
import { stopOnSignals } from './signals.mjs';
import { root } from './stack/paths.mjs';
import { exitWith, StackError } from './stack/stack-error.mjs';
import { down, reset, up } from './stack/stack.mjs';

const profile = 'bench';
/** Needs another checkout, so it runs only when it is named. */
const COMPARISON = 'ab';

/** The benchmarks to run, the remaining arguments for them, and the checkout to compare with. */
function choose(args) {
  if (args[0] === COMPARISON) {
    const rest = args.slice(1);
    return { names: [COMPARISON], rest, other: parseComparison(rest).checkout };
  }
  const known = readdirSync(join(root, 'bench'))
    .filter((file) => file.endsWith('.mjs'))
    .map((file) => file.slice(0, -4))
    .filter((name) => name !== COMPARISON);
  const names = args.filter((arg) => known.includes(arg));
  const rest = args.filter((arg) => !known.includes(arg));
  if (names.length === 0 && rest.length > 0 && !rest[0].startsWith('-'))
    throw new StackError(
      `No benchmark is called ${rest[0]}; there are: ${known.join(', ')}, ${COMPARISON}.`,
    );
  return { names: names.length > 0 ? names : known, rest };
}

/** Builds another checkout with its own scripts and packages, unless its build is up to date. */
async function buildOther(folder) {
  const script = join(folder, 'scripts/build.mjs');
  const child = spawnScript(script, [], process.env, { cwd: folder });
  if ((await exitOf(child)) !== 0) throw new StackError(`${folder} could not be built.`);
}

async function main() {
  const args = process.argv.slice(2);
  const keep = args.includes('--keep');
  const { names, rest, other } = choose(args.filter((arg) => arg !== '--keep'));
  await requireBuild(console.log);
  if (other) await buildOther(other);
  // A benchmark writes and deletes freely: it never uses a database that the environment names.
  const env = { ...process.env };
  for (const name of ['MYSQL_URL', 'REDIS_URL', 'KAFKA_BROKERS']) delete env[name];
  if (!keep) await reset({ profile });
  // Canal captures one schema, and a comparison has two.
  const stack = await up({ profile, full: true, canal: !other, env });
  let stopped;
  const stop = async () => keep || (stopped ??= down({ profile }));
  let interrupted = false;
  stopOnSignals(() => {
    interrupted = true;
    return endScripts().then(stop);
  }, 130);
  const failed = [];
  try {
    for (const name of names) {
      if (interrupted) break;
      console.log(`\n=== ${name}`);
      const child = spawnScript(join(root, 'bench', `${name}.mjs`), rest, { ...env, ...stack });
      if ((await exitOf(child)) !== 0) failed.push(name);
    }
  } finally {
    await stop();
  }
  if (failed.length > 0) throw new StackError(`Failed: ${failed.join(', ')}.`);
}

main().catch(exitWith);
