import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { eventually, isolatedStack, type StackEnvironment } from './support';

const { PATH, HOME, LANG } = process.env;
const root = join(__dirname, '..');
const PROFILE = 'start-test';
/** It builds first where that is due, which takes a busy machine a while. */
const START = { timeoutMs: 150_000 };

/** `npm start` on a stack that is given, so that it starts the program alone. */
function npmStart(env: Record<string, string>): { npm: ChildProcess; output: () => string } {
  // A group of its own, so that whatever a failure leaves can be ended.
  const npm = spawn('npm', ['start', '--', '--profile', PROFILE], {
    cwd: root,
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

/** The processes of a running start. */
function recordOf(port: number): { script: { pid: number }; program: { pid: number } } {
  return JSON.parse(readFileSync(join(root, `.stack/${PROFILE}/start-${port}.json`), 'utf8'));
}

/** Ends what a failed test has left of a start. */
function endGroup({ pid }: ChildProcess): void {
  try {
    process.kill(-pid!, 'SIGTERM');
  } catch {
    // All of it has ended, as it should.
  }
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
      await eventually(() => expect(output()).toContain('webook is up'), START);
      npm.kill('SIGTERM');
      // Comes when no process is left that could write to its output.
      await once(npm, 'close');
      expect(output()).toContain('Stopped');
      expect(() => recordOf(port)).toThrow('ENOENT');
    } finally {
      endGroup(npm);
    }
  });

  it.each(['npm', 'script'] as const)(
    'takes over from a start whose %s was killed, and only from such a one',
    async (victim) => {
      const port = await freePort();
      const env = { ...stack, PORT: String(port) };
      const killed = npmStart(env);
      const groups = [killed.npm];
      try {
        await eventually(() => expect(killed.output()).toContain('webook is up'), START);
        const { script, program } = recordOf(port);
        process.kill(victim === 'npm' ? killed.npm.pid! : script.pid, 'SIGKILL');
        await once(killed.npm, 'exit');

        const second = npmStart(env);
        groups.push(second.npm);
        await eventually(() => expect(second.output()).toContain('webook is up'), START);
        expect(second.output()).toContain(`ending process ${program.pid}, which a killed npm`);

        const third = npmStart(env);
        await once(third.npm, 'close');
        expect(third.npm.exitCode).toBe(1);
        expect(third.output().trim().split('\n').at(-1)).toMatch(
          /^npm start runs already \(process \d+\) and serves http:\S+: stop it first, or /,
        );
        expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(200);
        second.npm.kill('SIGTERM');
        await once(second.npm, 'close');
      } finally {
        groups.forEach(endGroup);
      }
    },
  );

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
