import { existsSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { canalProcess, canalProperties, canalUp } from './canal.mjs';
import { kafkaProcess, kafkaUp } from './kafka.mjs';
import { mysqlProcess, mysqlUp } from './mysql.mjs';
import {
  kafkaBrokersOf,
  mysqlUrlOf,
  portsOf,
  profileFolder,
  redisUrlOf,
  seededStamp,
} from './paths.mjs';
import { withPortLock } from './port-lock.mjs';
import { redisProcess, redisUp } from './redis.mjs';
import { StackError } from './stack-error.mjs';

/** The services in the order in which they stop: those that read from others go first. */
export const services = (profile) => [
  canalProcess(profile),
  kafkaProcess(profile),
  redisProcess(profile),
  mysqlProcess(profile),
];

/** The names of the services that run. */
export const runningServices = (profile) =>
  services(profile)
    .filter((service) => service.pid() !== undefined)
    .map(({ name }) => name);

const logOf = (log, name) => (line) => log(`[stack] ${name}: ${line}`);

/** Does `work` while no other process starts or stops services of the profile. */
export const withProfileLock = (profile, log, work) =>
  withPortLock(portsOf(profile).lock, `the stack ${profile}`, logOf(log, 'lock'), work);

/** All the sentences at once, so that the user need not cure one fault to learn of the next. */
function throwFaults(outcomes) {
  const faults = outcomes.filter(({ status }) => status === 'rejected').map(({ reason }) => reason);
  for (const fault of faults) if (!(fault instanceof StackError)) throw fault;
  if (faults.length > 0) throw new StackError(faults.map(({ message }) => message).join('\n\n'));
}

/** How the variables look that are used as given; the program itself looks closer. */
const FORMS = {
  MYSQL_URL: [/^mysql:\/\/[^/]+\/[^/?]+/, 'mysql://user:password@127.0.0.1:3306/webook'],
  REDIS_URL: [/^rediss?:\/\/./, 'redis://127.0.0.1:6379'],
  KAFKA_BROKERS: [/^[^,\s:]+:\d+(,[^,\s:]+:\d+)*$/, '127.0.0.1:9092,127.0.0.1:9093'],
};

function requireForms(env) {
  for (const [name, [form, example]] of Object.entries(FORMS))
    if (env[name] && !form.test(env[name]))
      throw new StackError(`${name} is set but must be like ${example}: mend or unset it.`);
}

/**
 * Starts what is needed and not given by a URL in `env`. Gives the variables that point at it.
 * @param full also Kafka and Canal, unless `kafka` or `canal` say otherwise
 * @param flat Canal's messages as flat JSON instead of protobuf
 */
export function up({
  profile = 'dev',
  full = false,
  kafka = full,
  canal = full,
  flat = false,
  env = process.env,
  log = console.log,
}) {
  return withProfileLock(profile, log, async () => {
    requireForms(env);
    const started = await Promise.allSettled([
      env.MYSQL_URL || mysqlUp(profile, logOf(log, 'mysql')),
      env.REDIS_URL || redisUp(profile, logOf(log, 'redis')),
      env.KAFKA_BROKERS || (kafka ? kafkaUp(profile, logOf(log, 'kafka')) : undefined),
    ]);
    // Only now, so that no start is still under way when this process ends.
    throwFaults(started);
    const [mysqlUrl, redisUrl, kafkaBrokers] = started.map((outcome) => outcome.value);
    const variables = { MYSQL_URL: mysqlUrl, REDIS_URL: redisUrl };
    if (kafkaBrokers) variables.KAFKA_BROKERS = kafkaBrokers;
    if (!canal) return variables;
    // Canal reads as a user of its own, whom only the private MySQL is known to have.
    if (env.MYSQL_URL) {
      logOf(log, 'canal')('not started: MYSQL_URL is given, so a Canal of yours must read it');
      return variables;
    }
    await canalUp(profile, { kafkaBrokers, flat }, logOf(log, 'canal'));
    return { ...variables, CANAL_PROPERTIES: canalProperties(profile) };
  });
}

/** The variables that point at what runs of the profile now. */
export function runningEnvironment(profile) {
  const running = runningServices(profile);
  return {
    ...(running.includes('mysql') ? { MYSQL_URL: mysqlUrlOf(profile) } : {}),
    ...(running.includes('redis') ? { REDIS_URL: redisUrlOf(profile) } : {}),
    ...(running.includes('kafka') ? { KAFKA_BROKERS: kafkaBrokersOf(profile) } : {}),
    ...(running.includes('canal') ? { CANAL_PROPERTIES: canalProperties(profile) } : {}),
  };
}

async function stopAll(stopped, log) {
  for (const service of stopped) if (await service.stop()) logOf(log, service.name)('stopped');
}

/**
 * Stops the profile's services.
 * @param keep the names of those that stay up
 */
export function down({ profile = 'dev', keep = [], log = console.log }) {
  return withProfileLock(profile, log, () =>
    stopAll(
      services(profile).filter(({ name }) => !keep.includes(name)),
      log,
    ),
  );
}

/**
 * Stops services and deletes their data.
 * @param name of one service; of all when it is not given, and with MySQL's: what the others hold is
 * worth nothing without the database that it tells of
 */
export function reset({ profile = 'dev', name, log = console.log }) {
  return withProfileLock(profile, log, async () => {
    const isWhole = !name || name === 'mysql';
    const chosen = services(profile).filter((service) => isWhole || service.name === name);
    await stopAll(chosen, log);
    const folders = chosen.map(({ folder }) => folder);
    // That the demo is written is a fact of the database.
    const seeded = isWhole ? [seededStamp(profile)] : [];
    const found = [...folders, ...seeded].filter((path) => existsSync(path));
    for (const path of found) rmSync(path, { recursive: true });
    const folder = profileFolder(profile);
    if (existsSync(folder) && readdirSync(folder).length === 0) rmdirSync(folder);
    if (found.length > 0)
      log(`[stack] the data of ${isWhole ? `the profile ${profile}` : name} is deleted`);
  });
}

export function requireProfile(name) {
  if (!/^[a-z][a-z0-9-]{0,31}$/.test(name ?? '') || name === 'jars')
    throw new StackError(
      '--profile needs a name of small letters and digits (and not "jars"), e.g. --profile dev.',
    );
  return name;
}
