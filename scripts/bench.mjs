// npm run bench -- [name …] [--keep] [arguments of the benchmark]: the benchmarks of bench/, each in a
// process of its own, on a private stack.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { requireBuild } from './build.mjs';
import { endScripts, exitOf, spawnScript } from './program.mjs';
import { stopOnSignals } from './signals.mjs';
import { root } from './stack/paths.mjs';
import { exitWith, StackError } from './stack/stack-error.mjs';
import { down, reset, up } from './stack/stack.mjs';

const profile = 'bench';

/** The benchmarks to run, and what is left of the command line for them. */
function choose(args) {
  const known = readdirSync(join(root, 'bench'))
    .filter((file) => file.endsWith('.mjs'))
    .map((file) => file.slice(0, -4));
  const names = args.filter((arg) => known.includes(arg));
  const rest = args.filter((arg) => !known.includes(arg));
  if (names.length === 0 && rest.length > 0 && !rest[0].startsWith('-'))
    throw new StackError(`No benchmark is called ${rest[0]}; there are: ${known.join(', ')}.`);
  return { names: names.length > 0 ? names : known, rest };
}

async function main() {
  const args = process.argv.slice(2);
  const keep = args.includes('--keep');
  const { names, rest } = choose(args.filter((arg) => arg !== '--keep'));
  await requireBuild(console.log);
  // A benchmark writes at will: it never gets a database that the environment names.
  const env = { ...process.env };
  for (const name of ['MYSQL_URL', 'REDIS_URL', 'KAFKA_BROKERS']) delete env[name];
  if (!keep) await reset({ profile });
  const stack = await up({ profile, full: true, env });
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
