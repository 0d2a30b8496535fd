import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { eventually } from './support';

const root = join(__dirname, '..');
const PROFILE = 'test-stack';
const SERVICES = ['mysql', 'redis', 'kafka', 'canal'] as const;
const { MYSQL_URL: _mysql, REDIS_URL: _redis, KAFKA_BROKERS: _kafka, ...env } = process.env;

const pathOf = (...path: string[]): string => join(root, '.stack', PROFILE, ...path);

/** Runs a script to its end; returns its output. */
function run(script: string, args: readonly string[], given: object = {}): Promise<string> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [join(root, 'scripts', script), ...args, '--profile', PROFILE],
      { cwd: root, env: { ...env, ...given } },
      (_error, stdout, stderr) => resolve(stdout + stderr),
    );
  });
}

const stack = (...args: string[]): Promise<string> => run('stack.mjs', args);

async function pids(): Promise<Record<string, number>> {
  const lines = (await stack('status')).matchAll(/^(\w+) +up \(process (\d+)\)$/gm);
  return Object.fromEntries([...lines].map(([, name, pid]) => [name, Number(pid)]));
}

async function kill(pid: number): Promise<void> {
  process.kill(pid, 'SIGKILL');
  await eventually(() => expect(() => process.kill(pid, 0)).toThrow('ESRCH'));
}

describe('npm run stack', () => {
  beforeAll(async () => {
    await stack('reset');
    await stack('up', '--full');
    expect(Object.keys(await pids())).toEqual(SERVICES);
  });
  afterAll(() => stack('reset'));

  it('finds a running service whose pid file is lost', async () => {
    const before = await pids();
    for (const name of SERVICES) rmSync(pathOf(name, 'pid'));
    await stack('up', '--full');
    expect(await pids()).toEqual(before);
  });

  it('replaces a service whose folder was deleted', async () => {
    const { redis, ...others } = await pids();
    rmSync(pathOf('redis'), { recursive: true });
    expect(await stack('up')).toContain(`stopping process ${redis}, whose folder was deleted`);
    const now = await pids();
    expect(now).toMatchObject(others);
    expect(now.redis).not.toBe(redis);
  });

  it("sets aside Canal's cursor when a crash has truncated it", async () => {
    await kill((await pids()).canal!);
    const cursor = pathOf('canal/data/webook/meta.dat');
    writeFileSync(cursor, '{"clientDatas":[{"clientIdentity":{"clie');
    const output = await stack('up', '--full');
    expect(output).toContain('meta.dat cannot be read and is set aside');
    expect(output).toContain('canal: up at');
    expect(existsSync(`${cursor}.unreadable`)).toBe(true);
  });

  it('names the process that listens on a port that it needs', async () => {
    const port = Number(/redis:\S+:(\d+)/.exec(await stack('env'))?.[1]);
    await kill((await pids()).redis!);
    const holder = createServer().listen(port, '127.0.0.1');
    await once(holder, 'listening');
    try {
      expect(await stack('up')).toMatch(
        new RegExp(
          `^Redis needs port ${port} of 127.0.0.1, but process ${process.pid} .* there: `,
          'm',
        ),
      );
    } finally {
      holder.close();
    }
  });

  it('refuses a malformed variable before it starts anything', async () => {
    expect(await run('stack.mjs', ['up', '--full'], { KAFKA_BROKERS: 'abc' })).toBe(
      '\nKAFKA_BROKERS is set but must be like 127.0.0.1:9092,127.0.0.1:9093: correct it or unset it.\n',
    );
  });

  it('names the command that deletes damaged data, which deletes only that', async () => {
    await stack('up');
    const { mysql, redis, kafka } = await pids();
    await kill(redis!);
    writeFileSync(pathOf('redis/data/appendonlydir/appendonly.aof.manifest'), 'damaged');
    expect(await stack('up')).toContain(
      `or delete its data with npm run stack -- reset redis --profile ${PROFILE}.`,
    );
    await stack('reset', 'redis');
    expect(existsSync(pathOf('redis'))).toBe(false);
    await stack('up');
    expect(await pids()).toMatchObject({ mysql, kafka, redis: expect.any(Number) });
  });
});

describe('npm run cli', () => {
  beforeAll(async () => {
    await stack('up');
  });
  afterAll(() => stack('reset'));

  it('runs on the profile that is named, and stops its command when it is stopped', async () => {
    const cli = spawn(
      process.execPath,
      [join(root, 'scripts/cli.mjs'), '--profile', PROFILE, 'seed-demo'],
      { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    let output = '';
    for (const stream of [cli.stdout, cli.stderr])
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    await eventually(() => expect(output).toMatch(/articles: \d+ \(/));
    cli.kill('SIGTERM');
    // Emitted when no process is left that could write to its output.
    await once(cli, 'close');
    expect(output).not.toContain('Wrote 25 articles');
  });

  it('reports that the profile is down', async () => {
    await stack('down');
    expect(await run('cli.mjs', ['verify', 'interactive'])).toMatch(
      /^\nThe private stack test-stack is down: .*\n$/,
    );
  });
});
