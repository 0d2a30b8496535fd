// npm run cli -- COMMAND: the program's own commands, on the running private stack or the URLs given.
import { requireBuild } from './build.mjs';
import { exitOf, spawnProgram } from './program.mjs';
import { exitWith, StackError } from './stack/stack-error.mjs';
import { runningEnvironment } from './stack/stack.mjs';

/** The caller's environment, filled up with what runs of the profile dev. */
function environment() {
  const env = { ...runningEnvironment('dev'), ...process.env };
  if (!env.MYSQL_URL || !env.REDIS_URL)
    throw new StackError(
      'The private stack is down: start it with npm start (or npm run stack -- up), or set MYSQL_URL and REDIS_URL.',
    );
  const engines = env.KAFKA_BROKERS
    ? { MQ_ENGINE: 'kafka', CDC_ENGINE: 'canal' }
    : { MQ_ENGINE: 'streams', CDC_ENGINE: 'relay' };
  return { ...engines, ...env };
}

async function main() {
  await requireBuild(console.error);
  process.exit(await exitOf(spawnProgram('cli.js', process.argv.slice(2), environment())));
}

main().catch(exitWith);
