import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { portsOf, serviceFolder } from './paths.mjs';
import { aptInstall, run, which } from './shell.mjs';
import { requireFreePort, ServiceProcess } from './service-process.mjs';
import { StackError } from './stack-error.mjs';

export const redisProcess = (profile) =>
  new ServiceProcess('redis', serviceFolder(profile, 'redis'));

async function findServer(log) {
  if (!which('redis-server')) await aptInstall(log, ['redis-server'], 'Redis');
  const server = which('redis-server');
  const { output } = await run(server, ['--version']);
  const major = Number(/v=(\d+)\./.exec(output)?.[1]);
  if (!(major >= 7))
    throw new StackError(
      `${server} is too old (${output}): webook needs Redis 7 or newer. Install it, or set REDIS_URL to a server that is.`,
    );
  return server;
}

/** True once it answers PING; while it loads its data it answers an error. */
function answersPing(port) {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const answer = (up) => {
      socket.destroy();
      resolve(up);
    };
    socket.once('connect', () => socket.write('PING\r\n'));
    socket.once('data', (data) => answer(data.toString().startsWith('+PONG')));
    socket.once('error', () => answer(false));
    socket.setTimeout(1_000, () => answer(false));
  });
}

/** Starts the private Redis, or adopts it when it runs. Gives its URL. */
export async function redisUp(profile, log) {
  const folder = serviceFolder(profile, 'redis');
  const port = portsOf(profile).redis;
  const service = redisProcess(profile);
  if (service.pid() === undefined) {
    const start = Date.now();
    const server = await findServer(log);
    await requireFreePort('redis', port);
    mkdirSync(join(folder, 'data'), { recursive: true });
    const configuration = join(folder, 'redis.conf');
    writeFileSync(
      configuration,
      [
        'bind 127.0.0.1',
        `port ${port}`,
        `dir ${join(folder, 'data')}`,
        'daemonize no',
        // Keeps this file's path in the process list, by which the process is known as ours.
        'set-proc-title no',
        // Streams are the event log here: nothing may be evicted, and a crash loses at most a second.
        'maxmemory-policy noeviction',
        'appendonly yes',
        'appendfsync everysec',
        'save ""',
      ].join('\n') + '\n',
    );
    const pid = service.start(server, [configuration]);
    await service.waitUntil(() => answersPing(port), 60);
    log(
      `up at 127.0.0.1:${port} after ${((Date.now() - start) / 1_000).toFixed(1)} s (process ${pid})`,
    );
  }
  return `redis://127.0.0.1:${port}`;
}
