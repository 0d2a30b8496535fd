import { join } from 'node:path';
import { exitOf, spawnScript } from './program.mjs';
import { root } from './stack/paths.mjs';

/** A run that takes longer hangs. */
const TIMEOUT_MINUTES = 40;

/** Runs Jest on the pinned Node. Returns its exit code, or 1 when it was killed after the timeout. */
export async function jest(args, env, log) {
  // Nest's packages are ES modules: Jest loads them only with --experimental-vm-modules.
  const options = [
    env.NODE_OPTIONS,
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    '--disable-warning=TimeoutNegativeWarning',
  ];
  // A connection that a failed test left open must not prevent Jest from ending.
  const child = spawnScript(join(root, 'node_modules/jest/bin/jest.js'), ['--forceExit', ...args], {
    ...env,
    NODE_OPTIONS: options.filter(Boolean).join(' '),
  });
  const deadline = setTimeout(() => {
    log(
      `killed Jest after ${TIMEOUT_MINUTES} minutes: a suite hangs; it is one that is missing in the list above`,
    );
    child.kill('SIGKILL');
  }, TIMEOUT_MINUTES * 60_000);
  try {
    return await exitOf(child);
  } finally {
    clearTimeout(deadline);
  }
}
