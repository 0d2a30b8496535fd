// npm run bench -- [name …] [--keep]: the benchmarks of bench/, each in a process of its own, on a
// private stack. What follows "--" after the names goes to the benchmark.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { requireBuild } from './build.mjs';
import { node24, withNode24 } from './stack/packages.mjs';
import { root } from './stack/paths.mjs';
import { exitWith, StackError } from './stack/stack-error.mjs';
import { down, reset, up } from './stack/stack.mjs';

const profile = 'bench';

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { keep: { type: 'boolean', default: false } },
  });
  const known = readdirSync(join(root, 'bench'))
    .filter((file) => file.endsWith('.mjs'))
    .map((file) => file.slice(0, -4));
  const names = positionals.filter((name) => known.includes(name));
  const rest = positionals.filter((name) => !known.includes(name));
  if (names.length === 0 && rest.length > 0)
    throw new StackError(`No benchmark is called ${rest[0]}; there are: ${known.join(', ')}.`);
  await requireBuild(console.log);
  if (!values.keep) await reset({ profile });
  const stack = await up({ profile, full: true });
  let failures = 0;
  try {
    for (const name of names.length > 0 ? names : known) {
      console.log(`\n=== ${name}`);
      const child = spawn(node24, [join(root, 'bench', `${name}.mjs`), ...rest], {
        cwd: root,
        env: withNode24({ ...process.env, ...stack }),
        stdio: 'inherit',
      });
      const [code] = await once(child, 'exit');
      if (code !== 0) failures++;
    }
  } finally {
    if (!values.keep) await down({ profile });
  }
  process.exit(failures === 0 ? 0 : 1);
}

main().catch(exitWith);
