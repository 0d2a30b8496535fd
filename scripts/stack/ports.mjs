import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { StackError } from './stack-error.mjs';

const HOST = '127.0.0.1';

/**
 * Sends `question` to a local port and returns whether the answer satisfies `isAnswer`; without a
 * question, whether any program listens there.
 */
export function ask(port, question, isAnswer) {
  return new Promise((resolve) => {
    const socket = connect({ port, host: HOST });
    const end = (result) => {
      socket.destroy();
      resolve(result);
    };
    let received = Buffer.alloc(0);
    socket.once('connect', () => (question ? socket.write(question) : end(true)));
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (isAnswer(received)) end(true);
    });
    for (const event of ['error', 'close']) socket.once(event, () => end(false));
    socket.setTimeout(1_000, () => end(false));
  });
}

export const isPortOpen = (port) => ask(port);

function inodeOfListener(port) {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    if (!existsSync(table)) continue;
    for (const line of readFileSync(table, 'utf8').split('\n').slice(1)) {
      const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
      if (state === '0A' && local.endsWith(`:${hex}`)) return inode;
    }
  }
  return undefined;
}

function hasSocket(pid, inode) {
  try {
    return readdirSync(`/proc/${pid}/fd`).some(
      (fd) => readlinkSync(`/proc/${pid}/fd/${fd}`) === `socket:[${inode}]`,
    );
  } catch {
    // Another user's process, or one that has just ended.
    return false;
  }
}

/** The process that listens on a port, if /proc shows it, e.g. "process 12 (redis-server *:6379)". */
export function portHolder(port) {
  const inode = inodeOfListener(port);
  const pid =
    inode && readdirSync('/proc').find((entry) => /^\d+$/.test(entry) && hasSocket(entry, inode));
  if (!pid) return 'another program';
  const commandLine = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  return `process ${pid} (${commandLine.slice(0, 80)})`;
}

/** @throws StackError when another program listens on the port */
export async function requireFreePort(name, port, variable) {
  if (await isPortOpen(port))
    throw new StackError(
      `${name} needs port ${port} of ${HOST}, but ${portHolder(port)} listens there: stop it, choose other ports with --profile NAME, or set ${variable} to the address of a ${name} that runs already.`,
    );
}
