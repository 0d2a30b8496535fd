// npm test [-- paths] [--keep]: unit tests, then e2e tests on a fresh MySQL, Redis, Kafka and Canal.
// Paths choose tests; --keep leaves the stack up and takes the one that is up.
import { parseArgs } from 'node:util';
import { requireBuild } from './build.mjs';
import { jest } from './jest.mjs';
import { aptInstall, which } from './stack/shell.mjs';
import { exitWith } from './stack/stack-error.mjs';
import { down, reset, up } from './stack/stack.mjs';

const profile = 'test';
const CHROMIUM = ['chromium', 'chromium-browser', 'google-chrome'];

/** The tests never touch what the environment points at: the stack is private and fresh. */
function privateEnvironment() {
  const env = { ...process.env, NODE_ENV: 'test' };
  for (const name of [
    'MYSQL_URL',
    'REDIS_URL',
    'KAFKA_BROKERS',
    'CANAL_PROPERTIES',
    'JWT_SECRET',
    'JWT_JWKS_URL',
  ])
    delete env[name];
  return env;
}

async function findChromium(log) {
  if (!which(...CHROMIUM))
    await aptInstall(log, ['chromium'], 'Chromium, which the page test drives,');
  return which(...CHROMIUM);
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { keep: { type: 'boolean', default: false } },
  });
  const log = (line) => console.log(line.startsWith('[') ? line : `[test] ${line}`);
  await requireBuild(log);

  const isUnit = (path) => path.startsWith('src');
  const unit = positionals.filter(isUnit);
  const e2e = positionals.filter((path) => !isUnit(path));
  const failed = [];
  if (positionals.length === 0 || unit.length > 0) {
    log('unit tests');
    if ((await jest(['--selectProjects', 'unit', ...unit])) !== 0) failed.push('unit');
  }
  if (positionals.length === 0 || e2e.length > 0) {
    const env = privateEnvironment();
    const chromium = await findChromium(log);
    if (!values.keep) await reset({ profile, log });
    let stopped;
    const stop = () => (stopped ??= values.keep ? Promise.resolve() : down({ profile, log }));
    for (const signal of ['SIGINT', 'SIGTERM'])
      process.on(signal, () => {
        stop().then(() => process.exit(130), exitWith);
      });
    try {
      const stack = await up({ profile, full: true, env, log });
      log('e2e tests');
      const code = await jest(['--selectProjects', 'e2e', '--runInBand', ...e2e], {
        ...env,
        ...stack,
        CHROMIUM_PATH: chromium,
      });
      if (code !== 0) failed.push('e2e');
    } finally {
      await stop();
    }
  }
  log(failed.length === 0 ? 'all tests passed' : `FAILED: ${failed.join(' and ')} tests`);
  process.exit(failed.length === 0 ? 0 : 1);
}

main().catch(exitWith);
