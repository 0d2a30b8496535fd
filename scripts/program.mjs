import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { node24, withNode24 } from './stack/packages.mjs';
import { root } from './stack/paths.mjs';

const FLAGS = [
  '--enable-source-maps',
  // kafkajs sets timers in the past; Node clamps them and warns each time.
  '--disable-warning=TimeoutNegativeWarning',
];

const running = new Set();

/** Starts a script on the pinned Node, its output shown as it comes. */
export function spawnScript(file, args, env, options = {}) {
  const child = spawn(node24, [...FLAGS, file, ...args], {
    cwd: root,
    env: withNode24(env),
    stdio: 'inherit',
    ...options,
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

/** Ends the scripts that run, since a signal to this process alone does not reach them. */
export async function endScripts() {
  await Promise.all(
    [...running].map((child) => {
      child.kill();
      return exitOf(child);
    }),
  );
}

/** Starts a file of the built program. */
export const spawnProgram = (file, args, env, options) =>
  spawnScript(join(root, 'dist/src', file), args, env, options);

/** Waits for the end of a process. Gives its exit code, 1 when a signal ended it. */
export async function exitOf(child) {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child.exitCode ?? 1;
}
