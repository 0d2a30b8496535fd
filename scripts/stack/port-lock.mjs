import { once } from 'node:events';
import { createServer } from 'node:net';
import { portHolder } from './ports.mjs';
import { sleep } from './shell.mjs';
import { StackError } from './stack-error.mjs';

const LOCK_TIMEOUT_MS = 20 * 60_000;

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
 * listening port, not a file: the system frees it however its holder ends, so no lock is stale.
 * @param what the thing that the lock protects, for messages
 * @throws StackError when the holder keeps it for 20 minutes
 */
export async function withPortLock(port, what, log, work) {
  const end = Date.now() + LOCK_TIMEOUT_MS;
  let server;
  for (let tries = 0; !(server = await listen(port)); tries++) {
    if (tries === 0) log(`waiting for ${portHolder(port)}, which holds the lock of ${what}`);
    if (Date.now() > end)
      throw new StackError(
        `${portHolder(port)} has held port ${port}, the lock of ${what}, for 20 minutes: stop it and try again.`,
      );
    await sleep(200);
  }
  try {
    return await work();
  } finally {
    server.close();
  }
}
