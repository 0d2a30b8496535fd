import { once } from 'node:events';
import { createServer } from 'node:net';
import { portHolder } from './ports.mjs';
import { sleep } from './shell.mjs';
import { StackError } from './stack-error.mjs';

const PATIENCE_MS = 20 * 60_000;

async function listen(port) {
  const server = createServer((socket) => socket.destroy());
  server.listen({ port, host: '127.0.0.1', exclusive: true });
  try {
    await once(server, 'listening');
    return server;
  } catch (error) {
    if (error.code !== 'EADDRINUSE') throw error;
    return undefined;
  }
}

/**
 * Does `work` while no other process of this machine does work under the same port. The lock is a
 * listening port and not a file: the system takes it back however its holder ends, so there are no
 * stale ones.
 * @param what the thing worked on, for messages
 * @throws StackError when the holder keeps it for 20 minutes
 */
export async function withPortLock(port, what, log, work) {
  const end = Date.now() + PATIENCE_MS;
  let server;
  for (let tries = 0; !(server = await listen(port)); tries++) {
    if (tries === 0) log(`waiting for ${portHolder(port)}, which is at work on ${what}`);
    if (Date.now() > end)
      throw new StackError(
        `${portHolder(port)} has held port ${port}, the lock of ${what}, for 20 minutes: end it and try again.`,
      );
    await sleep(200);
  }
  try {
    return await work();
  } finally {
    server.close();
  }
}
