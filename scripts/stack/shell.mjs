import { spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where servers are installed although an ordinary user's PATH leaves them out. */
const EXTRA_FOLDERS = ['/usr/sbin', '/usr/local/sbin', '/usr/local/bin', '/usr/local/mysql/bin'];

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** The path of the first of these programs that is installed, or undefined. */
export function which(...names) {
  const folders = [...(process.env.PATH ?? '').split(delimiter).filter(Boolean), ...EXTRA_FOLDERS];
  const paths = names.flatMap((name) => folders.map((folder) => join(folder, name)));
  return paths.find(isProgram);
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
    // A program that ends without reading its input is judged by its exit code.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

/** The last lines of an output, for an error message. */
export const lastLines = (text, count = 8) => text.trimEnd().split('\n').slice(-count).join('\n');

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
