import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
export const stackRoot = join(root, '.stack');
export const jarsFolder = (service) => join(stackRoot, 'jars', service);
export const profileFolder = (profile) => join(stackRoot, profile);
/** The file that exists once the demo data is in the profile's database. */
export const seededStamp = (profile) => join(profileFolder(profile), 'seeded');
export const serviceFolder = (profile, service) => join(profileFolder(profile), service);

/** `lock` is the port that a start or stop occupies while it runs. */
const KNOWN_PORTS = {
  dev: { mysql: 13306, redis: 16379, kafka: 19092, kafkaController: 19093, lock: 19094 },
  test: { mysql: 14306, redis: 15379, kafka: 18092, kafkaController: 18093, lock: 18094 },
  bench: { mysql: 24406, redis: 25379, kafka: 28092, kafkaController: 28093, lock: 28094 },
};

/** Occupied while the jars, which all profiles share, are downloaded. */
export const JARS_LOCK_PORT = 19095;

const digest = (text) => createHash('sha1').update(text).digest();

/**
 * The ports of a profile. For other names, five ports are derived from the name, below those that Linux
 * uses for outgoing connections (32768 and up).
 */
export function portsOf(profile) {
  if (KNOWN_PORTS[profile]) return KNOWN_PORTS[profile];
  const first = 28_100 + (digest(profile).readUInt16BE(0) % 465) * 10;
  return {
    mysql: first,
    redis: first + 1,
    kafka: first + 2,
    kafkaController: first + 3,
    lock: first + 4,
  };
}

/** Tests kill servers but never the machine: commits in their profiles need not wait for the disk. */
export const isTestProfile = (profile) => /^test(-|$)/.test(profile);

/** Only dev and bench hold data that a user may want to keep. Tests need "test" in the name. */
export const databaseOf = (profile) =>
  profile === 'dev' || profile === 'bench' ? 'webook' : 'webook_test';

/** A Unix socket's path has at most 107 bytes: for a longer one, the socket is in the temp folder. */
export function socketPath(profile) {
  const near = join(serviceFolder(profile, 'mysql'), 'mysqld.sock');
  if (Buffer.byteLength(near) <= 100) return near;
  return join(tmpdir(), `webook-${digest(near).toString('hex').slice(0, 12)}.sock`);
}

/** The addresses of the private services, whether or not they run. */
export const mysqlUrlOf = (profile) =>
  `mysql://webook:webook@127.0.0.1:${portsOf(profile).mysql}/${databaseOf(profile)}`;
export const redisUrlOf = (profile) => `redis://127.0.0.1:${portsOf(profile).redis}`;
export const kafkaBrokersOf = (profile) => `127.0.0.1:${portsOf(profile).kafka}`;
