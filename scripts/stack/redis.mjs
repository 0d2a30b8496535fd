import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { aptInstall } from './apt.mjs';
import { isTestProfile, portsOf, redisUrlOf, root } from './paths.mjs';
import { ask, requireFreePort } from './ports.mjs';
import { ServiceProcess } from './service-process.mjs';
import { run, which } from './shell.mjs';
import { StackError } from './stack-error.mjs';

export const redisProcess = (profile) => new ServiceProcess('redis', profile);

async function findServer(log) {
  if (!which('redis-server')) await aptInstall(log, ['redis-server'], 'Redis');
  const server = which('redis-server');
  const { output } = await run(server, ['--version']);
  const major = Number(/v=(\d+)\./.exec(output)?.[1]);
  if (!(major >= 7))
    throw new StackError(
      `${server} is too old (${output}): install Redis 7 or newer, or set REDIS_URL to a server that is.`,
    );
  return server;
}

function writeConfiguration(profile, folder) {
  const path = join(folder, 'redis.conf');
  const lines = [
    readFileSync(join(root, 'docker/redis/redis.conf'), 'utf8'),
    'bind 127.0.0.1',
    `port ${portsOf(profile).redis}`,
    `dir ${JSON.stringify(join(folder, 'data'))}`,
    'daemonize no',
    ...(isTestProfile(profile) ? ['appendfsync no'] : []),
    // Keeps this file's path in the process list, which identifies the process as ours.
    'set-proc-title no',
  ];
  mkdirSync(join(folder, 'data'), { recursive: true });
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}

/** Starts the private Redis, or takes over a running one. Returns its URL. */
export async function redisUp(profile, log) {
  const { redis: port } = portsOf(profile);
  const service = redisProcess(profile);
  const { folder } = service;
  await service.ensure({
    log,
    address: `127.0.0.1:${port}`,
    // While Redis loads its data, it answers with an error.
    isUp: () => ask(port, 'PING\r\n', (answer) => answer.includes('+PONG')),
    launch: async () => {
      const server = await findServer(log);
      await requireFreePort('Redis', port, 'REDIS_URL');
      service.start(server, [writeConfiguration(profile, folder)]);
    },
  });
  return redisUrlOf(profile);
}
