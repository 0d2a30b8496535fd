import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { eventually, isolatedStack, type StackEnvironment } from './support';

const { PATH, HOME, LANG } = process.env;

/** `npm start` on a stack that is given, so that it starts the program alone. */
function npmStart(env: Record<string, string>): { npm: ChildProcess; output: () => string } {
  // A group of its own, so that whatever a failure leaves can be ended.
  const npm = spawn('npm', ['start', '--', '--profile', 'start-test'], {
    cwd: join(__dirname, '..'),
    env: { PATH, HOME, LANG, NODE_ENV: 'test', NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let text = '';
  for (const stream of [npm.stdout, npm.stderr])
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
  return { npm, output: () => text };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

describe('npm start', () => {
  let stack: StackEnvironment;
  beforeAll(async () => {
    stack = await isolatedStack('start');
  });

  it('ends the program too when npm is ended', async () => {
    const port = await freePort();
    const { npm, output } = npmStart({ ...stack, PORT: String(port) });
    try {
      // It builds first where that is due, which takes a busy machine a while.
      await eventually(() => expect(output()).toContain('webook is up'), { timeoutMs: 150_000 });
      npm.kill('SIGTERM');
      // Comes when no process is left that could write to its output.
      await once(npm, 'close');
      expect(output()).toContain('Stopped');
    } finally {
      try {
        process.kill(-npm.pid!, 'SIGTERM');
      } catch {
        // All of it has ended, as it should.
      }
    }
  });

  it('tells what is wrong with a variable before it starts anything', async () => {
    const { npm, output } = npmStart({ ...stack, PORT: 'abc', RANKING_SIZE: '0' });
    await once(npm, 'close');
    expect(npm.exitCode).toBe(1);
    expect(output().split('\n\n').at(-1)?.trim()).toBe(
      'The configuration is wrong:\n' +
        '  PORT is "abc" but must be a port number, e.g. PORT=3000\n' +
        '  RANKING_SIZE is "0" but must be at least 1',
    );
  });
});
