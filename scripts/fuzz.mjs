// npm run fuzz [-- arguments of schemathesis]: generated requests, right and wrong ones, with and without a
// token, against the program as openapi.json describes it. The seed is fixed; --seed N makes other requests.
// Exit code 77 means that nothing was checked, because schemathesis cannot be installed.
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { requireBuild } from './build.mjs';
import { privateEnvironment } from './private-environment.mjs';
import { endScripts, exitOf, spawnProgram, spawnTool } from './program.mjs';
import { stopOnSignals } from './signals.mjs';
import { requireSchemathesis } from './stack/schemathesis.mjs';
import { exitWith, StackError } from './stack/stack-error.mjs';
import { down, reset, up } from './stack/stack.mjs';

const profile = 'test-fuzz';
const SKIPPED_EXIT_CODE = 77;
/** A run ends by itself long before; this is for a program that hangs. */
const RUN_TIMEOUT_MS = 5 * 60_000;
/** Requests for each operation, in each of the ways that they are generated. */
const EXAMPLES_WITH_TOKEN = 250;
const EXAMPLES_WITHOUT = 50;
/** Requests with bodies of a megabyte are printed too. */
const MAX_LINE_LENGTH = 4_000;

const log = (line) => console.log(line.startsWith('[') ? line : `[fuzz] ${line}`);

/** Starts the program, and waits until it listens. */
async function startProgram(env) {
  const options = { stdio: ['ignore', 'pipe', 'pipe'] };
  const child = spawnProgram('main.js', [], { ...env, PORT: '0' }, options);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text));
  const addressOf = () => /Listening on (http:\/\/[\d.]+:\d+)/.exec(output)?.[1];
  while (!addressOf()) {
    if (child.exitCode !== null) throw new StackError(`The program ended at boot:\n${output}`);
    await Promise.race([once(child.stdout, 'data'), once(child, 'exit')]);
  }
  return { child, url: addressOf(), errors: () => output.match(/^.* ERROR .*$/gm) ?? [] };
}

async function tokenOf(url, userId) {
  const response = await fetch(`${url}/api/auth/dev-token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ userId }),
  });
  return (await response.json()).token;
}

/** @returns whether it found no fault; it prints every fault with the request that shows it */
async function run(schemathesis, url, args) {
  const child = spawnTool(
    schemathesis,
    [
      ...['--config-file', 'scripts/fuzz/schemathesis.toml', 'run', 'openapi.json', '--url', url],
      // The check of scripts/fuzz/hooks.py is in place of this one.
      ...['--checks', 'all', '--exclude-checks', 'positive_data_acceptance'],
      ...args,
      ...process.argv.slice(2),
    ],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      // No __pycache__ in the checkout.
      env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
      timeout: RUN_TIMEOUT_MS,
      killSignal: 'SIGKILL',
    },
  );
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (line) =>
    console.log(line.length > MAX_LINE_LENGTH ? `${line.slice(0, MAX_LINE_LENGTH)} …` : line),
  );
  const [code] = await Promise.all([exitOf(child), once(lines, 'close')]);
  return code === 0;
}

async function fuzz(schemathesis, env) {
  if ((await exitOf(spawnProgram('cli.js', ['seed-demo'], env))) !== 0)
    throw new StackError('The data for the requests could not be written.');
  const { child, url, errors } = await startProgram(env);
  const token = await tokenOf(url, 1);
  const runs = {
    'with a token': [EXAMPLES_WITH_TOKEN, '--header', `Authorization: Bearer ${token}`],
    // Its warnings are that most routes answer 401.
    'without a token': [EXAMPLES_WITHOUT, '--warnings', 'off'],
  };
  const failed = [];
  for (const [name, [examples, ...args]] of Object.entries(runs)) {
    log(name);
    if (!(await run(schemathesis, url, ['--max-examples', String(examples), ...args])))
      failed.push(name);
  }
  if (child.exitCode !== null || child.signalCode !== null) failed.push('the program ended');
  if (errors().length > 0) {
    failed.push('the program logged errors');
    log(errors().slice(0, 20).join('\n'));
  }
  if (failed.length > 0) throw new StackError(`FAILED: ${failed.join(', ')}.`);
  log('every answer was a declared one, and none was 5xx');
}

async function main() {
  await requireBuild(log);
  let schemathesis;
  try {
    schemathesis = await requireSchemathesis(log);
  } catch (error) {
    if (!(error instanceof StackError)) throw error;
    console.error(`\n!!! SKIPPED: no request was generated. ${error.message}`);
    process.exit(SKIPPED_EXIT_CODE);
  }
  const env = privateEnvironment();
  await reset({ profile, log });
  let stopped;
  const stop = () => (stopped ??= endScripts().then(() => down({ profile, log })));
  stopOnSignals(stop, 130);
  try {
    await fuzz(schemathesis, { ...env, ...(await up({ profile, env, log })) });
  } finally {
    await stop();
  }
}

main().then(() => process.exit(0), exitWith);
