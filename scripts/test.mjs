// npm test [-- paths] [--keep]: unit tests, then e2e tests on a fresh MySQL, Redis, Kafka and Canal.
// Paths select tests; --keep leaves the stack running, and reuses one that is running.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { requireBuild } from './build.mjs';
import { jest } from './jest.mjs';
import { privateEnvironment } from './private-environment.mjs';
import { endScripts } from './program.mjs';
import { stopOnSignals } from './signals.mjs';
import { aptInstall } from './stack/apt.mjs';
import { root } from './stack/paths.mjs';
import { which } from './stack/shell.mjs';
import { exitWith, StackError } from './stack/stack-error.mjs';
import { down, reset, up } from './stack/stack.mjs';

const profile = 'test';
const BROWSERS = ['chromium', 'chromium-browser', 'google-chrome'];

async function findBrowser(log) {
  if (!which(...BROWSERS)) await aptInstall(log, ['chromium'], 'Chromium (for the page test)');
  return which(...BROWSERS);
}

/** Runs the e2e tests on the stack of the profile `test`. Returns Jest's exit code. */
async function e2e(paths, keep, log) {
  const env = privateEnvironment();
  const browser = await findBrowser(log);
  if (!keep) await reset({ profile, log });
  let stopped;
  const stop = async () => keep || (stopped ??= down({ profile, log }));
  stopOnSignals(() => endScripts().then(stop), 130);
  try {
    const stack = await up({ profile, full: true, env, log });
    log('e2e tests');
    const jestEnv = { ...env, ...stack, CHROMIUM_PATH: browser };
    return await jest(['--selectProjects', 'e2e', '--runInBand', ...paths], jestEnv, log);
  } finally {
    await stop();
  }
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { keep: { type: 'boolean', default: false } },
  });
  for (const path of positionals)
    if (!existsSync(join(root, path))) throw new StackError(`There are no tests at ${path}.`);
  const log = (line) => console.log(line.startsWith('[') ? line : `[test] ${line}`);
  await requireBuild(log);

  const isUnit = (path) => path.replace(/^\.\//, '').startsWith('src');
  const unitPaths = positionals.filter(isUnit);
  const e2ePaths = positionals.filter((path) => !isUnit(path));
  const isAll = positionals.length === 0;
  const failed = [];
  if (isAll || unitPaths.length > 0) {
    log('unit tests');
    const code = await jest(['--selectProjects', 'unit', ...unitPaths], privateEnvironment(), log);
    if (code !== 0) failed.push('unit');
  }
  if (isAll || e2ePaths.length > 0)
    if ((await e2e(e2ePaths, values.keep, log)) !== 0) failed.push('e2e');
  log(failed.length === 0 ? 'all tests passed' : `FAILED: ${failed.join(' and ')} tests`);
  process.exit(failed.length === 0 ? 0 : 1);
}

main().catch(exitWith);
