import { join } from 'node:path';
import { exitOf, spawnScript } from './program.mjs';
import { root } from './stack/paths.mjs';

/** Runs Jest on the pinned Node. Gives its exit code. */
export function jest(args, env) {
  // Nest's packages are ES modules, which Jest loads only with the first flag.
  const options = [
    env.NODE_OPTIONS,
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    '--disable-warning=TimeoutNegativeWarning',
  ];
  return exitOf(
    spawnScript(join(root, 'node_modules/jest/bin/jest.js'), args, {
      ...env,
      NODE_OPTIONS: options.filter(Boolean).join(' '),
    }),
  );
}
