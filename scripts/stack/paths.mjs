import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));
export const stackRoot = join(root, '.stack');
export const jarsFolder = (service) => join(stackRoot, 'jars', service);
export const profileFolder = (profile) => join(stackRoot, profile);
export const serviceFolder = (profile, service) => join(profileFolder(profile), service);

const KNOWN_PORTS = {
  dev: { mysql: 13306, redis: 16379, kafka: 19092, kafkaController: 19093 },
  test: { mysql: 14306, redis: 15379, kafka: 18092, kafkaController: 18093 },
  bench: { mysql: 24406, redis: 25379, kafka: 28092, kafkaController: 28093 },
};

const digest = (text) => createHash('sha1').update(text).digest();

/** The ports of a profile; a name of one's own gets four that follow from it. */
export function portsOf(profile) {
  if (KNOWN_PORTS[profile]) return KNOWN_PORTS[profile];
  const first = 30_000 + (digest(profile).readUInt16BE(0) % 1_000) * 10;
  return { mysql: first, redis: first + 1, kafka: first + 2, kafkaController: first + 3 };
}

/** Only the profiles of people at work are called plainly: tests refuse a database without "test". */
export const databaseOf = (profile) =>
  profile === 'dev' || profile === 'bench' ? 'webook' : 'webook_test';

/** Unix sockets have at most 107 bytes of path; a project that lies deeper gets one in the temp folder. */
export function socketPath(profile) {
  const near = join(serviceFolder(profile, 'mysql'), 'mysqld.sock');
  if (Buffer.byteLength(near) <= 100) return near;
  return join(tmpdir(), `webook-${digest(near).toString('hex').slice(0, 12)}.sock`);
}
