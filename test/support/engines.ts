import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { emptySharedStack, isolatedStack } from './isolated-stack';
import { testEnvironment } from './test-environment';

/** One combination of event log and change capture; the same suites run on each of them. */
export interface Engine {
  readonly name: string;
  /** Creates an empty stack for a suite and returns the environment of its programs. */
  prepare(suite: string): Promise<Record<string, string>>;
}

const root = join(__dirname, '../..');

async function stackScript(...args: string[]): Promise<string> {
  const { MYSQL_URL: _mysql, REDIS_URL: _redis, KAFKA_BROKERS: _kafka, ...env } = process.env;
  const profile = process.env.WEBOOK_TEST_PROFILE ?? 'test';
  const all = ['scripts/stack.mjs', ...args, '--profile', profile];
  const { stdout } = await promisify(execFile)(process.execPath, all, { cwd: root, env });
  return stdout;
}

/** Restarts the running Canal when it sends messages in the other form. */
async function runCanal(flat: boolean): Promise<void> {
  await stackScript('up', '--full', ...(flat ? ['--flat'] : []));
}

/** Runs `work` while Canal reads nothing. */
export async function withoutCanal(work: () => Promise<unknown>): Promise<void> {
  const pid = Number(/^canal +up \(process (\d+)\)/m.exec(await stackScript('status'))?.[1]);
  process.kill(pid, 'SIGSTOP');
  try {
    await work();
  } finally {
    process.kill(pid, 'SIGCONT');
  }
}

export function kafkaWithCanal(form: 'protobuf' | 'flat'): Engine {
  return {
    name: `kafka+canal ${form}`,
    async prepare() {
      const { KAFKA_BROKERS } = testEnvironment();
      await runCanal(form === 'flat');
      const stack = await emptySharedStack();
      return { ...stack, KAFKA_BROKERS, MQ_ENGINE: 'kafka', CDC_ENGINE: 'canal' };
    },
  };
}

export const streamsWithRelay: Engine = {
  name: 'streams+relay',
  async prepare(suite) {
    return { ...(await isolatedStack(suite)), MQ_ENGINE: 'streams', CDC_ENGINE: 'relay' };
  },
};

/** For `describe.each(engines)('... on $name', (engine) => ...)`. */
export const engines: readonly Engine[] = [
  streamsWithRelay,
  kafkaWithCanal('protobuf'),
  kafkaWithCanal('flat'),
];
