import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { StackEnvironment } from './isolated-stack';

/** Milliseconds in which a service starts or stops on a busy machine. */
const SCRIPT_TIMEOUT = 50_000;

const root = join(__dirname, '../..');
const { MYSQL_URL: _mysql, REDIS_URL: _redis, KAFKA_BROKERS: _kafka, ...env } = process.env;

async function stackScript(...args: string[]): Promise<string> {
  const script = join(root, 'scripts/stack.mjs');
  const { stdout } = await promisify(execFile)(process.execPath, [script, ...args], {
    cwd: root,
    env,
    timeout: SCRIPT_TIMEOUT,
    killSignal: 'SIGKILL',
  });
  return stdout;
}

export type Service = 'mysql' | 'redis';

/** A MySQL and a Redis of one suite's own, which it may stop, freeze and kill. */
export class PrivateStack {
  private constructor(
    private readonly profile: string,
    readonly environment: StackEnvironment,
  ) {}

  /** Starts both with no data. */
  static async start(profile: string): Promise<PrivateStack> {
    await stackScript('reset', '--profile', profile);
    return new PrivateStack(profile, await up(profile));
  }

  /** Starts what is not running, on the same addresses and data. */
  async up(): Promise<void> {
    await up(this.profile);
  }

  /** No more answers, but the connections stay open. */
  async freeze(service: Service): Promise<void> {
    process.kill(await this.pid(service), 'SIGSTOP');
  }

  async thaw(service: Service): Promise<void> {
    process.kill(await this.pid(service), 'SIGCONT');
  }

  /** As if its machine had failed. */
  async kill(service: Service): Promise<void> {
    const pid = await this.pid(service);
    process.kill(pid, 'SIGKILL');
    while (isAlive(pid)) await new Promise((resolve) => setTimeout(resolve, 10));
  }

  /** Ends both and deletes their data. */
  async drop(): Promise<void> {
    await stackScript('reset', '--profile', this.profile);
  }

  private async pid(service: Service): Promise<number> {
    const status = await stackScript('status', '--profile', this.profile);
    const pid = new RegExp(`^${service} +up \\(process (\\d+)\\)`, 'm').exec(status)?.[1];
    if (pid === undefined) throw new Error(`${service} does not run:\n${status}`);
    return Number(pid);
  }
}

async function up(profile: string): Promise<StackEnvironment> {
  const output = await stackScript('up', '--profile', profile);
  const valueOf = (name: string): string => {
    const value = new RegExp(`^export ${name}='(.*)'$`, 'm').exec(output)?.[1];
    if (value === undefined) throw new Error(`the stack gave no ${name}:\n${output}`);
    return value;
  };
  return { MYSQL_URL: valueOf('MYSQL_URL'), REDIS_URL: valueOf('REDIS_URL') };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
