import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';

// So that the servers end with the benchmark also when a signal ends it.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(1));

const main = fileURLToPath(new URL('../../dist/src/main.js', import.meta.url));

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

/** Polls until `check` gives something truthy; throws after `seconds`. */
export async function until(what, check, { seconds = 120, every = 20 } = {}) {
  const end = Date.now() + seconds * 1_000;
  for (;;) {
    const found = await check();
    if (found) return found;
    if (Date.now() > end) throw new Error(`${what}: still not so after ${seconds} s`);
    await sleep(every);
  }
}

/** Starts any script on this Node and waits until `readyUrl` answers 200. */
export async function startServer(script, env, readyPath) {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child = spawn(process.execPath, ['--disable-warning=TimeoutNegativeWarning', script], {
    env: { ...process.env, PORT: String(port), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  process.once('exit', () => child.kill());
  let output = '';
  const keep = (chunk) => (output = (output + chunk).slice(-20_000));
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const exited = once(child, 'exit');
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    await exited;
  };
  try {
    await until(`${script} ready`, async () => {
      if (child.exitCode !== null) throw new Error(`${script} ended:\n${output}`);
      return fetch(url + readyPath).then(
        (response) => response.ok,
        () => false,
      );
    });
  } catch (error) {
    await stop();
    throw new Error(`${error.message}\n${output}`);
  }
  return { url, stop, pid: child.pid, output: () => output };
}

/** Starts webook itself on the stack that the environment names. */
export const startProgram = (env) =>
  startServer(main, { MQ_ENGINE: 'streams', CDC_ENGINE: 'relay', ...env }, '/readyz');

/** Sends JSON and gives the parsed answer; throws on anything but 2xx. */
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
  const { readFile } = await import('node:fs/promises');
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

export const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

export const quantile = (values, q) =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))];

/** One aligned line of a result table. */
export const row = (...cells) =>
  console.log(cells.map((cell, i) => String(cell).padEnd(i === 0 ? 44 : 16)).join(''));
