import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { cli, eventually, isolatedStack, Sql, type StackEnvironment } from './support';
import { dist } from './support/dist';

const { PATH, HOME, LANG } = process.env;
const root = join(__dirname, '..');
const PROFILE = 'test-start';
/** It may have to build first, which takes long on a busy machine. */
const START = { timeoutMs: 150_000 };

/** Runs `npm start` on a given stack, so that it starts only the program. */
function npmStart(env: Record<string, string>): { npm: ChildProcess; output: () => string } {
  // Its own process group, so that everything that a failure leaves can be ended.
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

/** Ends the processes that a failed test has left running. */
function endGroup({ pid }: ChildProcess): void {
  try {
    process.kill(-pid!, 'SIGTERM');
  } catch {
    // All of them have ended, as they should.
  }
}

describe('npm start', () => {
  let stack: StackEnvironment;
  beforeAll(async () => {
    stack = await isolatedStack('start');
  });

  it('stops the program when npm is stopped', async () => {
    const port = await freePort();
    const { npm, output } = npmStart({ ...stack, PORT: String(port) });
    try {
      await eventually(() => expect(output()).toContain('webook is up'), START);
      npm.kill('SIGTERM');
      // Emitted when no process is left that could write to its output.
      await once(npm, 'close');
      expect(output()).toContain('Stopped');
      expect(() => recordOf(port)).toThrow('ENOENT');
    } finally {
      endGroup(npm);
    }
  });

  it.each(['npm', 'script'] as const)(
    'takes over from a start whose %s was killed, but not from a running one',
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
        expect(second.output()).toContain(
          `stopping process ${program.pid}, left running by a killed npm`,
        );

        const third = npmStart(env);
        await once(third.npm, 'close');
        expect(third.npm.exitCode).toBe(1);
        expect(third.output().trim().split('\n').at(-1)).toMatch(
          /^npm start is already running \(process \d+\) and serves http:\S+: stop it first, or /,
        );
        await eventually(async () =>
          expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(200),
        );
        second.npm.kill('SIGTERM');
        await once(second.npm, 'close');
      } finally {
        groups.forEach(endGroup);
      }
    },
  );

  it('reports what is wrong with a variable before it starts anything', async () => {
    const { npm, output } = npmStart({ ...stack, PORT: 'abc', RANKING_SIZE: '0' });
    await once(npm, 'close');
    expect(npm.exitCode).toBe(1);
    expect(output().split('\n\n').at(-1)?.trim()).toBe(
      'The configuration is wrong:\n' +
        '  PORT is "abc" but must be a port number, e.g. PORT=3000\n' +
        '  RANKING_SIZE is "0" but must be at least 1',
    );
  });

  it('reports in one sentence why a given URL was refused', async () => {
    const MYSQL_URL = Object.assign(new URL(stack.MYSQL_URL), { password: 'wrong' }).href;
    const { npm, output } = npmStart({ ...stack, MYSQL_URL, PORT: String(await freePort()) });
    await once(npm, 'close');
    expect(npm.exitCode).toBe(1);
    expect(output().trim().split('\n').at(-1)).toMatch(
      /^MYSQL_URL is set but MySQL cannot be used there: Access denied for user /,
    );
  });
});

describe('seed-demo', () => {
  const contents = async (url: string): Promise<unknown[]> => {
    const sql = await Sql.open(url);
    try {
      return await sql.rows(
        `SELECT p.title, i.like_cnt AS likes, i.collect_cnt AS collects
         FROM published_articles p LEFT JOIN interactives i ON i.biz = 'article' AND i.biz_id = p.id
         ORDER BY p.id`,
      );
    } finally {
      await sql.close();
    }
  };

  it('continues a demo that was interrupted, and does not change a complete one', async () => {
    const whole = await isolatedStack('seed_whole');
    expect(await cli(whole, 'seed-demo')).toMatchObject({ code: 0 });
    const expected = await contents(whole.MYSQL_URL);
    expect(expected).toHaveLength(25);

    const stack = await isolatedStack('seed_broken');
    const seeder = spawn(process.execPath, [join(dist, 'src/cli.js'), 'seed-demo'], {
      env: { PATH, HOME, LANG, NODE_ENV: 'test', ...stack },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const ended = once(seeder, 'exit');
    // The first line is printed with the first article.
    await once(seeder.stderr, 'data');
    seeder.kill('SIGKILL');
    await ended;
    const begun = await contents(stack.MYSQL_URL);
    expect(begun.length).toBeLessThan(expected.length);

    expect(await cli(stack, 'seed-demo')).toMatchObject({ code: 0 });
    expect(await contents(stack.MYSQL_URL)).toEqual(expected);
    const { stdout } = await cli(stack, 'seed-demo');
    expect(stdout).toContain('There are articles already');
  });
});
