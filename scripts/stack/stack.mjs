import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { canalAddressOf, canalProcess, canalProperties, canalUp } from './canal.mjs';
import { kafkaProcess, kafkaUp } from './kafka.mjs';
import { mysqlProcess, mysqlUp } from './mysql.mjs';
import { profileFolder, serviceFolder } from './paths.mjs';
import { redisProcess, redisUp } from './redis.mjs';
import { sleep } from './shell.mjs';
import { StackError } from './stack-error.mjs';

/** The services in the order in which they stop: those that read from others go first. */
export const services = (profile) => [
  canalProcess(profile),
  kafkaProcess(profile),
  redisProcess(profile),
  mysqlProcess(profile),
];

const logOf = (log, name) => (line) => log(`[stack] ${name}: ${line}`);

/** One `up` or `down` of a profile at a time; the lock of a dead process is taken over. */
async function locked(profile, work) {
  const path = join(profileFolder(profile), 'lock');
  mkdirSync(profileFolder(profile), { recursive: true });
  for (;;) {
    try {
      writeFileSync(path, String(process.pid), { flag: 'wx' });
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
      const holder = existsSync(path) ? Number(readFileSync(path, 'utf8')) : 0;
      try {
        if (holder > 0) process.kill(holder, 0);
        await sleep(200);
      } catch {
        rmSync(path, { force: true });
      }
    }
  }
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}

/**
 * Starts what is needed and not given by a URL in `env`. Gives the variables that point at it.
 * @param full also Kafka and Canal
 * @param flat Canal's messages as flat JSON instead of protobuf
 */
export function up({
  profile = 'dev',
  full = false,
  flat = false,
  env = process.env,
  log = console.log,
}) {
  return locked(profile, async () => {
    const started = await Promise.allSettled([
      env.MYSQL_URL || mysqlUp(profile, logOf(log, 'mysql')),
      env.REDIS_URL || redisUp(profile, logOf(log, 'redis')),
      full ? env.KAFKA_BROKERS || kafkaUp(profile, logOf(log, 'kafka')) : env.KAFKA_BROKERS,
    ]);
    for (const outcome of started) if (outcome.status === 'rejected') throw outcome.reason;
    const [mysqlUrl, redisUrl, kafkaBrokers] = started.map((outcome) => outcome.value);
    const variables = { MYSQL_URL: mysqlUrl, REDIS_URL: redisUrl };
    if (kafkaBrokers) variables.KAFKA_BROKERS = kafkaBrokers;
    if (full) {
      // Canal reads as a user of its own, whom only the private MySQL is known to have.
      if (!env.MYSQL_URL) {
        const mysql = canalAddressOf(profile, mysqlUrl);
        await canalUp(profile, { mysql, kafkaBrokers, flat }, logOf(log, 'canal'));
        variables.CANAL_PROPERTIES = canalProperties(profile);
      } else log('[stack] canal: MYSQL_URL is given, so your own Canal must read it');
    }
    return variables;
  });
}

/** Stops every service of the profile that runs. */
export function down({ profile = 'dev', log = console.log }) {
  return locked(profile, async () => {
    for (const service of services(profile))
      if (await service.stop()) logOf(log, service.name)('stopped');
  });
}

/** Stops the profile's services and deletes their data: of Kafka and Canal too when `full`. */
export async function reset({ profile = 'dev', full = true, log = console.log }) {
  await down({ profile, log });
  for (const { name } of services(profile)) {
    if (!full && (name === 'kafka' || name === 'canal')) continue;
    const folder = serviceFolder(profile, name);
    if (!existsSync(folder)) continue;
    rmSync(folder, { recursive: true, force: true });
    logOf(log, name)('data dropped');
  }
}

export function requireProfile(name) {
  if (!/^[a-z][a-z0-9-]{0,31}$/.test(name ?? ''))
    throw new StackError(`--profile needs a name of small letters and digits, e.g. --profile dev`);
  return name;
}
