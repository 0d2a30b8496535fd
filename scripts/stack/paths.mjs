import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
export const stackRoot = join(root, '.stack');
export const jarsFolder = (service) => join(stackRoot, 'jars', service);
export const profileFolder = (profile) => join(stackRoot, profile);
/** The file that tells that the demo is written into the profile's database. */
export const seededStamp = (profile) => join(profileFolder(profile), 'seeded');
export const serviceFolder = (profile, service) => join(profileFolder(profile), service);

/** `lock` is the port that a start or stop holds while it works. */
const KNOWN_PORTS = {
  dev: { mysql: 13306, redis: 16379, kafka: 19092, kafkaController: 19093, lock: 19094 },
  test: { mysql: 14306, redis: 15379, kafka: 18092, kafkaController: 18093, lock: 18094 },
  bench: { mysql: 24406, redis: 25379, kafka: 28092, kafkaController: 28093, lock: 28094 },
};

/** Held while the jars that all profiles share are downloaded. */
export const JARS_LOCK_PORT = 19095;

const digest = (text) => createHash('sha1').update(text).digest();

/**
 * The ports of a profile; a name of one's own gets five that follow from it, below those that Linux
 * gives to outgoing connections (32768 and up).
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

/** The profiles of the tests, which kill servers, but never the machine: no disk has to be waited for. */
export const isOfTests = (profile) => /^test(-|$)/.test(profile);

/** Only dev and bench hold what a person may miss: tests refuse a database without "test". */
export const databaseOf = (profile) =>
  profile === 'dev' || profile === 'bench' ? 'webook' : 'webook_test';

/** Unix sockets have at most 107 bytes of path; a project that lies deeper gets one in the temp folder. */
export function socketPath(profile) {
  const near = join(serviceFolder(profile, 'mysql'), 'mysqld.sock');
  if (Buffer.byteLength(near) <= 100) return near;
  return join(tmpdir(), `webook-${digest(near).toString('hex').slice(0, 12)}.sock`);
}

/** What the private services answer to, whether or not they run. */
export const mysqlUrlOf = (profile) =>
  `mysql://webook:webook@127.0.0.1:${portsOf(profile).mysql}/${databaseOf(profile)}`;
export const redisUrlOf = (profile) => `redis://127.0.0.1:${portsOf(profile).redis}`;
export const kafkaBrokersOf = (profile) => `127.0.0.1:${portsOf(profile).kafka}`;
