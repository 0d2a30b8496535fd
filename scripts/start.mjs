// npm start: everything from nothing to a served live board. npm run start:full: on Kafka and Canal.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { requireBuild } from './build.mjs';
import { node24, withNode24 } from './stack/packages.mjs';
import { root } from './stack/paths.mjs';
import { isPortOpen } from './stack/service-process.mjs';
import { sleep } from './stack/shell.mjs';
import { exitWith, StackError } from './stack/stack-error.mjs';
import { down, requireProfile, up } from './stack/stack.mjs';

const NODE_FLAGS = ['--enable-source-maps', '--disable-warning=TimeoutNegativeWarning'];

const program = (file, args, env) =>
  spawn(node24, [...NODE_FLAGS, join(root, 'dist/src', file), ...args], {
    cwd: root,
    env,
    stdio: 'inherit',
    // A group of its own: Ctrl-C reaches this script alone, which then stops things in their order.
    detached: true,
  });

async function waitUntilReady(url, child) {
  for (;;) {
    if (child.exitCode !== null || child.signalCode !== null) return false;
    const response = await fetch(`${url}/readyz`).catch(() => undefined);
    if (response?.ok) return true;
    await sleep(100);
  }
}

async function main() {
  const { values } = parseArgs({
    options: {
      full: { type: 'boolean', default: false },
      profile: { type: 'string', default: 'dev' },
    },
  });
  const profile = requireProfile(values.profile);
  const start = Date.now();
  const port = process.env.PORT || '3000';
  if (await isPortOpen(Number(port)))
    throw new StackError(
      `Port ${port} of 127.0.0.1 is taken by another program: stop it, or choose another port, e.g. PORT=3001 npm start.`,
    );
  await requireBuild(console.log);

  let child;
  let stopping;
  const stop = () =>
    (stopping ??= (async () => {
      if (child && child.exitCode === null && child.signalCode === null) {
        child.kill('SIGTERM');
        await once(child, 'exit');
      }
      await down({ profile });
    })());
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    process.on(signal, () => {
      stop().then(() => process.exit(0), exitWith);
    });

  const isOwnDatabase = !process.env.MYSQL_URL;
  const engines = values.full
    ? { MQ_ENGINE: 'kafka', CDC_ENGINE: 'canal' }
    : { MQ_ENGINE: 'streams', CDC_ENGINE: 'relay' };
  try {
    const stack = await up({ profile, full: values.full });
    if (stopping) return;
    const env = withNode24({ ...engines, ...process.env, ...stack, PORT: port });
    if (isOwnDatabase) {
      const seeding = program('cli.js', ['seed-demo'], env);
      const [code] = await once(seeding, 'exit');
      if (code !== 0 && !stopping) throw new StackError('The demo could not be seeded, see above.');
    }
    if (stopping) return;
    child = program('main.js', [], env);
    const url = `http://127.0.0.1:${port}`;
    if (await waitUntilReady(url, child))
      console.log(`
webook is up after ${((Date.now() - start) / 1_000).toFixed(1)} s
  live board   ${url}/
  Swagger UI   ${url}/docs
  API          ${url}/api/ranking/likes
  metrics      ${url}/metrics
Play traffic on it with: npm run demo        Stop it with: Ctrl-C
`);
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    if (stopping) return;
    const { exitCode } = child;
    await stop();
    process.exit(exitCode ?? 1);
  } catch (error) {
    if (stopping) return;
    await stop();
    throw error;
  }
}

main().catch(exitWith);
