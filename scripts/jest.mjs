import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { node24, withNode24 } from './stack/packages.mjs';
import { root } from './stack/paths.mjs';

/** Runs Jest on the pinned Node, its output shown as it comes. Gives the exit code. */
export async function jest(args, env = process.env) {
  const child = spawn(
    node24,
    [
      // Nest's packages are ES modules, which Jest loads only with this flag.
      '--experimental-vm-modules',
      '--disable-warning=ExperimentalWarning',
      '--disable-warning=TimeoutNegativeWarning',
      join(root, 'node_modules/jest/bin/jest.js'),
      ...args,
    ],
    { cwd: root, env: withNode24(env), stdio: 'inherit' },
  );
  const [code] = await once(child, 'exit');
  return code ?? 1;
}
