import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of this checkout. */
export const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

const running = new Set();
// The servers must not outlive the benchmark, also when a signal ends it.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(1));
process.once('exit', () => running.forEach(end));

/** A suspended process takes SIGTERM only once it goes on. */
function end(child) {
  child.kill('SIGTERM');
  child.kill('SIGCONT');
}

/** A port that was free a moment ago. */
export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Polls until `check` returns something truthy; throws after `seconds`. */
export async function until(what, check, { seconds = 120, every = 20 } = {}) {
  const end = Date.now() + seconds * 1_000;
  for (;;) {
    const found = await check();
    if (found) return found;
    if (Date.now() > end) throw new Error(`${what}: not reached within ${seconds} s`);
    await sleep(every);
  }
}

/**
 * Starts a script and waits until `readyPath` answers 200.
 * @param checkout the folder of the checkout whose Node runs it
 */
export async function startServer(script, env, readyPath, checkout = root) {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const node = join(checkout, 'node_modules/.bin/node');
  const child = spawn(node, ['--disable-warning=TimeoutNegativeWarning', script], {
    cwd: checkout,
    env: { ...process.env, PORT: String(port), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  let output = '';
  const keep = (chunk) => (output = (output + chunk).slice(-20_000));
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const exited = once(child, 'exit');
  const startedAt = performance.now();
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) end(child);
    await exited;
  };
  try {
    await until(`${script} ready`, async () => {
      if (child.exitCode !== null) throw new Error(`${script} has ended`);
      return fetch(url + readyPath).then(
        (response) => response.ok,
        () => false,
      );
    });
  } catch (error) {
    await stop();
    throw new Error(`${error.message}\n${output}`);
  }
  return {
    url,
    pid: child.pid,
    /** Milliseconds from the start of the process to its first ready answer. */
    startMs: performance.now() - startedAt,
    stop,
    suspend: () => child.kill('SIGSTOP'),
    resume: () => child.kill('SIGCONT'),
  };
}

/** Starts the built webook of a checkout on the stack that the environment names. */
export const startProgram = (env, checkout = root) =>
  startServer(
    join(checkout, 'dist/src/main.js'),
    { MQ_ENGINE: 'streams', CDC_ENGINE: 'relay', ...env },
    '/readyz',
    checkout,
  );

/** Sends JSON and returns the parsed response; throws on any status but 2xx. */
export async function call(url, { method = 'GET', body, token } = {}) {
  const response = await fetch(url, {
    method,
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token ? { authorization: `Bearer ${token}` } : {}),
    },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${url}: ${response.status} ${text}`);
  return text ? JSON.parse(text) : undefined;
}

export const tokenOf = async (url, userId) =>
  (await call(`${url}/api/auth/dev-token`, { method: 'POST', body: { userId } })).token;

/** CPU seconds that a process has used so far (Linux). */
export async function cpuSeconds(pid) {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** The most memory that a process has held so far, in MB (Linux). */
export async function peakMegabytes(pid) {
  const [, kilobytes] = /^VmHWM:\s+(\d+)/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'));
  return Number(kilobytes) / 1_000;
}

/** One aligned line of a result table. */
export const row = (...cells) =>
  console.log(cells.map((cell, i) => String(cell).padEnd(i === 0 ? 44 : 16)).join(''));
