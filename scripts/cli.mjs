// npm run cli -- [--profile NAME] COMMAND: runs a command of the program on the running private stack,
// or on the URLs that are set.
import { requireBuild } from './build.mjs';
import { exitOf, spawnProgram } from './program.mjs';
import { exitWith, StackError } from './stack/stack-error.mjs';
import { requireProfile, runningEnvironment } from './stack/stack.mjs';

/** Separates --profile NAME from the arguments of the command. */
function split(args) {
  const at = args.indexOf('--profile');
  if (at === -1) return { profile: 'dev', rest: args };
  return { profile: requireProfile(args[at + 1]), rest: args.toSpliced(at, 2) };
}

/** The caller's environment, completed with the addresses of the profile's running services. */
function environment(profile) {
  const running = runningEnvironment(profile);
  // The private Kafka and Canal hold no data of another database.
  if (process.env.MYSQL_URL || process.env.REDIS_URL) {
    delete running.KAFKA_BROKERS;
    delete running.CANAL_PROPERTIES;
  }
  const env = { ...running, ...process.env };
  if (!env.MYSQL_URL || !env.REDIS_URL)
    throw new StackError(
      `The private stack ${profile} is down: start it with npm start (or npm run stack -- up), choose another one with --profile NAME, or set MYSQL_URL and REDIS_URL.`,
    );
  const engines = env.KAFKA_BROKERS
    ? { MQ_ENGINE: 'kafka', CDC_ENGINE: 'canal' }
    : { MQ_ENGINE: 'streams', CDC_ENGINE: 'relay' };
  return { ...engines, ...env };
}

async function main() {
  await requireBuild(console.error);
  const { profile, rest } = split(process.argv.slice(2));
  const child = spawnProgram('cli.js', rest, environment(profile));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    process.on(signal, () => child.kill(signal));
  process.exit(await exitOf(child));
}

main().catch(exitWith);
