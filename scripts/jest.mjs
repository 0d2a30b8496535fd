import { join } from 'node:path';
import { exitOf, spawnScript } from './program.mjs';
import { root } from './stack/paths.mjs';

/** Minutes after which a run hangs for certain. */
const LIMIT = 40;

/** Runs Jest on the pinned Node. Gives its exit code, 1 when it had to be ended. */
export async function jest(args, env, log) {
  // Nest's packages are ES modules, which Jest loads only with the first flag.
  const options = [
    env.NODE_OPTIONS,
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    '--disable-warning=TimeoutNegativeWarning',
  ];
  // A connection that a failed test left open must not keep Jest from ending.
  const child = spawnScript(join(root, 'node_modules/jest/bin/jest.js'), ['--forceExit', ...args], {
    ...env,
    NODE_OPTIONS: options.filter(Boolean).join(' '),
  });
  const deadline = setTimeout(() => {
    log(`ended after ${LIMIT} minutes: a suite that is not in the list above hangs`);
    child.kill('SIGKILL');
  }, LIMIT * 60_000);
  try {
    return await exitOf(child);
  } finally {
    clearTimeout(deadline);
  }
}
