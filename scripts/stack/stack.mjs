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

/** The services in the order in which they stop: one that reads from another stops before it. */
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

/** Reports all faults at once, so that the user need not correct one to see the next. */
function throwFaults(outcomes) {
  const faults = outcomes.filter(({ status }) => status === 'rejected').map(({ reason }) => reason);
  for (const fault of faults) if (!(fault instanceof StackError)) throw fault;
  if (faults.length > 0) throw new StackError(faults.map(({ message }) => message).join('\n\n'));
}

/** The form of the variables that are used as given; the program itself checks them further. */
const FORMS = {
  MYSQL_URL: [/^mysql:\/\/[^/]+\/[^/?]+/, 'mysql://user:password@127.0.0.1:3306/webook'],
  REDIS_URL: [/^rediss?:\/\/./, 'redis://127.0.0.1:6379'],
  KAFKA_BROKERS: [/^[^,\s:]+:\d+(,[^,\s:]+:\d+)*$/, '127.0.0.1:9092,127.0.0.1:9093'],
};

function requireForms(env) {
  for (const [name, [form, example]] of Object.entries(FORMS))
    if (env[name] && !form.test(env[name]))
      throw new StackError(`${name} is set but must be like ${example}: correct it or unset it.`);
}

/**
 * Starts the services that are needed and not given by a URL in `env`. Returns the variables with the
 * addresses of all of them.
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
    // Only after all have settled, so that no service is still starting when this process ends.
    throwFaults(started);
    const [mysqlUrl, redisUrl, kafkaBrokers] = started.map((outcome) => outcome.value);
    const variables = { MYSQL_URL: mysqlUrl, REDIS_URL: redisUrl };
    if (kafkaBrokers) variables.KAFKA_BROKERS = kafkaBrokers;
    if (!canal) return variables;
    // Canal logs in as its own MySQL user, which is known to exist on the private MySQL only.
    if (env.MYSQL_URL) {
      logOf(log, 'canal')('not started: MYSQL_URL is set, so your own Canal must read that server');
      return variables;
    }
    await canalUp(profile, { kafkaBrokers, flat }, logOf(log, 'canal'));
    return { ...variables, CANAL_PROPERTIES: canalProperties(profile) };
  });
}

/** The variables with the addresses of the profile's running services. */
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
 * @param keep the names of the services that stay up
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
 * @param name one service; without it, or with `mysql`, all of them: the data of the others is useless
 * without the database that it belongs to
 */
export function reset({ profile = 'dev', name, log = console.log }) {
  return withProfileLock(profile, log, async () => {
    const isEverything = !name || name === 'mysql';
    const chosen = services(profile).filter((service) => isEverything || service.name === name);
    await stopAll(chosen, log);
    const folders = chosen.map(({ folder }) => folder);
    // The stamp says that the database has the demo data, so it goes with the database.
    const seeded = isEverything ? [seededStamp(profile)] : [];
    const found = [...folders, ...seeded].filter((path) => existsSync(path));
    for (const path of found) rmSync(path, { recursive: true });
    const folder = profileFolder(profile);
    if (existsSync(folder) && readdirSync(folder).length === 0) rmdirSync(folder);
    if (found.length > 0)
      log(`[stack] the data of ${isEverything ? `the profile ${profile}` : name} is deleted`);
  });
}

export function requireProfile(name) {
  if (!/^[a-z][a-z0-9-]{0,31}$/.test(name ?? '') || ['jars', 'schemathesis'].includes(name))
    throw new StackError(
      '--profile needs a name of lower-case letters, digits and "-" (but not "jars" or "schemathesis"), e.g. --profile dev.',
    );
  return name;
}
