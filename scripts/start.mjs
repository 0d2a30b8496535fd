// npm start: installs, builds and starts everything, up to a served live board. npm run start:full does
// the same on Kafka and Canal.
import { existsSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { requireBuild } from './build.mjs';
import { exitOf, spawnProgram } from './program.mjs';
import { stopOnSignals } from './signals.mjs';
import { recordStart } from './start-record.mjs';
import { seededStamp } from './stack/paths.mjs';
import { isPortOpen, portHolder } from './stack/ports.mjs';
import { sleep } from './stack/shell.mjs';
import { exitWith, StackError } from './stack/stack-error.mjs';
import { down, requireProfile, up } from './stack/stack.mjs';

const SHUTDOWN_TIMEOUT_MS = 30_000;
/** Values of HOST that are reached at 127.0.0.1. */
const LOCAL_HOSTS = new Set(['0.0.0.0', '::', 'localhost']);

const hasEnded = (child) => child.exitCode !== null || child.signalCode !== null;

/**
 * Checks the environment as the program itself does, before anything is started for it.
 * @param env may lack the addresses of services that are not started yet
 */
async function checkedEnvironment(env) {
  await import('reflect-metadata');
  const config = await import('../dist/src/platform/config/environment.js');
  try {
    return config.readEnvironment({
      ...env,
      MYSQL_URL: env.MYSQL_URL || 'mysql://the/stack',
      REDIS_URL: env.REDIS_URL || 'redis://the-stack',
      KAFKA_BROKERS: env.KAFKA_BROKERS || 'the-stack:9092',
    });
  } catch (error) {
    if (error instanceof config.InvalidEnvironmentError) throw new StackError(error.message);
    throw error;
  }
}

async function requireOwnPort(port) {
  if (await isPortOpen(port))
    throw new StackError(
      `Port ${port} of 127.0.0.1 is in use by ${portHolder(port)}: stop it, or choose another port, e.g. PORT=3001 npm start.`,
    );
}

/**
 * Writes the demo's articles once into the private database; never into one that MYSQL_URL names.
 * @param run starts a file of the program
 */
async function seedDemo(profile, run) {
  const stamp = seededStamp(profile);
  if (process.env.MYSQL_URL || existsSync(stamp)) return;
  if ((await exitOf(run('cli.js', ['seed-demo']))) !== 0)
    throw new StackError(
      'The demo data could not be written: correct the fault shown above and start again.',
    );
  writeFileSync(stamp, '');
}

/** Waits until every dependency of the program answers; false when the program ends before that. */
async function isReady(url, child) {
  while (!hasEnded(child)) {
    const response = await fetch(`${url}/readyz`).catch(() => undefined);
    if (response?.ok) return true;
    await sleep(100);
  }
  return false;
}

async function stopProgram(child) {
  if (!child || hasEnded(child)) return;
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), SHUTDOWN_TIMEOUT_MS);
  await exitOf(child);
  clearTimeout(timer);
}

const invitation = (url, seconds) => `
webook is up after ${seconds} s
  live boards  ${url}/
  Swagger UI   ${url}/docs
  API          ${url}/api/ranking/likes
  metrics      ${url}/metrics
Simulate traffic with: npm run demo        Stop with: Ctrl-C
`;

async function main() {
  const { values } = parseArgs({
    options: {
      full: { type: 'boolean', default: false },
      profile: { type: 'string', default: 'dev' },
    },
  });
  const profile = requireProfile(values.profile);
  const begin = Date.now();
  await requireBuild(console.log);
  const engines = values.full
    ? { MQ_ENGINE: 'kafka', CDC_ENGINE: 'canal' }
    : { MQ_ENGINE: 'streams', CDC_ENGINE: 'relay' };
  const settings = await checkedEnvironment({ ...engines, ...process.env });
  const port = settings.PORT;

  const record = await recordStart(profile, port, console.log);
  let child;
  let stopping;
  const stop = () =>
    (stopping ??= (async () => {
      await stopProgram(child);
      await down({ profile, keep: record.keep });
      record.remove();
    })());
  stopOnSignals(() => {
    console.log('\nstopping');
    return stop();
  }, 0);

  try {
    await requireOwnPort(port);
    const stack = await up({
      profile,
      kafka: settings.MQ_ENGINE === 'kafka',
      canal: settings.CDC_ENGINE === 'canal',
    });
    if (stopping) return;
    const env = { ...engines, ...process.env, ...stack, PORT: port };
    const run = (file, args) => {
      // Its own process group: Ctrl-C reaches only this script, which then stops everything in order.
      child = spawnProgram(file, args, env, { detached: true });
      record.setProgram(child.pid);
      return child;
    };
    await seedDemo(profile, run);
    if (stopping) return;
    run('main.js', []);
    const host = LOCAL_HOSTS.has(settings.HOST) ? '127.0.0.1' : settings.HOST;
    const url = `http://${host}:${port}`;
    if (await isReady(url, child))
      console.log(invitation(url, ((Date.now() - begin) / 1_000).toFixed(1)));
    const code = await exitOf(child);
    if (stopping) return;
    await stop();
    process.exit(code);
  } catch (error) {
    if (stopping) return;
    await stop();
    throw error;
  }
}

main().catch(exitWith);
