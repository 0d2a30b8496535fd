import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { StackEnvironment } from './isolated-stack';

/** Enough for a service to start or stop on a busy machine. */
const SCRIPT_TIMEOUT_MS = 110_000;

const root = join(__dirname, '../..');
const { MYSQL_URL: _mysql, REDIS_URL: _redis, KAFKA_BROKERS: _kafka, ...env } = process.env;

/** @param given the addresses of the services that are not started */
async function stackScript(args: string[], given?: StackEnvironment): Promise<string> {
  const script = join(root, 'scripts/stack.mjs');
  const { stdout } = await promisify(execFile)(process.execPath, [script, ...args], {
    cwd: root,
    env: { ...env, ...given },
    timeout: SCRIPT_TIMEOUT_MS,
    killSignal: 'SIGKILL',
  });
  return stdout;
}

export type Service = 'mysql' | 'redis' | 'kafka';

/** The process of a running service. */
export async function servicePid(profile: string, service: Service | 'canal'): Promise<number> {
  const status = await stackScript(['status', '--profile', profile]);
  const pid = new RegExp(`^${service} +up \\(process (\\d+)\\)`, 'm').exec(status)?.[1];
  if (pid === undefined) throw new Error(`${service} does not run:\n${status}`);
  return Number(pid);
}

/** The private services of one suite, which it may stop, freeze and kill. */
export class PrivateStack {
  private constructor(
    private readonly profile: string,
    private readonly given: StackEnvironment | undefined,
    readonly environment: StackEnvironment & { readonly KAFKA_BROKERS?: string },
  ) {}

  /** Starts an empty MySQL and Redis; or, when these are given, an empty Kafka. */
  static async start(profile: string, given?: StackEnvironment): Promise<PrivateStack> {
    await stackScript(['reset', '--profile', profile]);
    return new PrivateStack(profile, given, await up(profile, given));
  }

  /** Starts the services that do not run, on the same addresses and data. */
  async up(): Promise<void> {
    await up(this.profile, this.given);
  }

  /** The service no longer answers, but its connections stay open. */
  async freeze(service: Service): Promise<void> {
    process.kill(await this.pid(service), 'SIGSTOP');
  }

  async thaw(service: Service): Promise<void> {
    process.kill(await this.pid(service), 'SIGCONT');
  }

  /** Ends the service as a failure of its machine would. */
  async kill(service: Service): Promise<void> {
    const pid = await this.pid(service);
    process.kill(pid, 'SIGKILL');
    while (isAlive(pid)) await new Promise((resolve) => setTimeout(resolve, 10));
  }

  /** Stops the services and deletes their data. */
  async drop(): Promise<void> {
    await stackScript(['reset', '--profile', this.profile]);
  }

  private pid(service: Service): Promise<number> {
    return servicePid(this.profile, service);
  }
}

async function up(
  profile: string,
  given?: StackEnvironment,
): Promise<StackEnvironment & { KAFKA_BROKERS?: string }> {
  const output = await stackScript(
    ['up', '--profile', profile, ...(given ? ['--full'] : [])],
    given,
  );
  const valueOf = (name: string): string => {
    const value = new RegExp(`^export ${name}='(.*)'$`, 'm').exec(output)?.[1];
    if (value === undefined) throw new Error(`the stack printed no ${name}:\n${output}`);
    return value;
  };
  return {
    MYSQL_URL: valueOf('MYSQL_URL'),
    REDIS_URL: valueOf('REDIS_URL'),
    ...(given && { KAFKA_BROKERS: valueOf('KAFKA_BROKERS') }),
  };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
