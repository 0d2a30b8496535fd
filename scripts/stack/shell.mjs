import { spawn } from 'node:child_process';
import { accessSync, constants, existsSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { StackError } from './stack-error.mjs';

const EXTRA_FOLDERS = ['/usr/sbin', '/usr/local/sbin', '/usr/local/bin', '/usr/local/mysql/bin'];

/** The path of the first of these programs that is installed, or undefined. */
export function which(...names) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...EXTRA_FOLDERS];
  for (const name of names)
    for (const folder of folders) {
      const path = join(folder, name);
      try {
        accessSync(path, constants.X_OK);
        return path;
      } catch {
        // Not in this folder.
      }
    }
  return undefined;
}

/** Runs a program to its end: its exit code and output, never a rejection for a non-zero code. */
export function run(command, args, { input, env, cwd } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env: env ?? process.env, cwd, stdio: 'pipe' });
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (output += chunk));
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output: output.trim() }));
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

/** Says every ten seconds that a long step still works. */
export async function withProgress(log, what, work) {
  const start = Date.now();
  const seconds = () => Math.round((Date.now() - start) / 1_000);
  const timer = setInterval(() => log(`  still ${what} (${seconds()} s)`), 10_000);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const POLICY = '/usr/sbin/policy-rc.d';

/** Debian's way to say that packages must not start the services which they bring. */
async function withoutServices(work) {
  if (existsSync(POLICY)) return work();
  writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    return await work();
  } finally {
    rmSync(POLICY, { force: true });
  }
}

let aptIsFresh = false;

/** Installs Debian packages, or says in one sentence why it can't and what to do instead. */
export async function aptInstall(log, packages, what) {
  const byHand = `install it yourself (Debian: apt-get install ${packages.join(' ')})`;
  if (!which('apt-get')) throw new StackError(`${what} was not found: ${byHand}.`);
  if (process.getuid?.() !== 0)
    throw new StackError(
      `${what} was not found, and only root may install packages: ${byHand}, or run this as root.`,
    );
  log(`installing ${packages.join(' ')} with apt, only this once`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const apt = async (...args) => {
    const done = await withProgress(log, 'installing', () => run('apt-get', args, { env }));
    if (done.code !== 0)
      throw new StackError(
        `apt-get ${args[0]} failed, so ${what} is missing: check the network and apt's sources, or ${byHand}.\n${done.output.split('\n').slice(-6).join('\n')}`,
      );
  };
  if (!aptIsFresh) await apt('update', '-qq');
  aptIsFresh = true;
  await withoutServices(() => apt('install', '-y', '-qq', '--no-install-recommends', ...packages));
}
