import { spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Folders where servers are installed, but which an ordinary user's PATH does not contain. */
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

/** Runs a program to its end. Returns its output and its exit code; a non-zero one does not reject. */
export function run(command, args, { input, env, cwd } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env: env ?? process.env, cwd, stdio: 'pipe' });
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (output += chunk));
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output: output.trim() }));
    // A program may end without reading its input: its exit code decides.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

/** The last lines of an output, for an error message. */
export const lastLines = (text, count = 8) => text.trimEnd().split('\n').slice(-count).join('\n');

/** Does `work`, and logs every ten seconds that it is still running. */
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
