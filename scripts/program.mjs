import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { node24, withNode24 } from './stack/packages.mjs';
import { root } from './stack/paths.mjs';

const FLAGS = [
  '--enable-source-maps',
  // kafkajs sets timers with negative delays; Node corrects them and prints a warning each time.
  '--disable-warning=TimeoutNegativeWarning',
];

const running = new Set();

/** Starts a program of another kind. By default it prints to this process's output. */
export function spawnTool(file, args, options = {}) {
  const child = spawn(file, args, { cwd: root, stdio: 'inherit', ...options });
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

/** Starts a script on the pinned Node. */
export function spawnScript(file, args, env, options = {}) {
  return spawnTool(node24, [...FLAGS, file, ...args], { env: withNode24(env), ...options });
}

/** Stops what is still running: a signal that is sent to this process only does not reach them. */
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

/** Waits until a process ends. Returns its exit code, or 1 when a signal ended it. */
export async function exitOf(child) {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child.exitCode ?? 1;
}
