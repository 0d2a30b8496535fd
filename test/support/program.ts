import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Answer } from './answer';
import { expectContract } from './contract';
import { dist } from './dist';

export interface RequestOptions {
  token?: string;
  headers?: Record<string, string>;
}

export interface ProgramOptions {
  /** In the messages of failures. */
  name?: string;
  /** On top of NODE_ENV=test and a free port; MYSQL_URL and REDIS_URL must be among them. */
  env: Record<string, string | undefined>;
}

/** Milliseconds for a boot with all migrations on a busy machine. */
const BOOT_TIMEOUT = 60_000;

/** Milliseconds for a shutdown, after which a program is killed. */
const SHUTDOWN_TIMEOUT = 30_000;

const running = new Set<ChildProcess>();

// What a failed test leaves running would take part in the suites behind it.
afterAll(() => Promise.all([...running].map(endOf)));

async function endOf(child: ChildProcess): Promise<void> {
  const ended = once(child, 'close');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), SHUTDOWN_TIMEOUT);
  await ended;
  clearTimeout(timer);
}

// What surrounds the tests must not reach the program unasked.
const { PATH, HOME, LANG } = process.env;

/** The program as its own process, as it runs in earnest. */
export class Program {
  private text = '';
  private address: string | undefined;
  private readonly tokens = new Map<number, string>();

  private constructor(
    private readonly name: string,
    private readonly child: ChildProcess,
  ) {
    running.add(child);
    child.once('exit', () => running.delete(child));
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => {
        this.text += chunk.toString();
      });
  }

  /** Starts the program; it may still be booting, or fail to. */
  static spawn({ name = 'webook', env }: ProgramOptions): Program {
    const child = spawn(process.execPath, [join(dist, 'src/main.js')], {
      env: { PATH, HOME, LANG, NODE_ENV: 'test', PORT: '0', NO_COLOR: '1', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return new Program(name, child);
  }

  /** Starts the program and waits until it is ready. */
  static async start(options: ProgramOptions): Promise<Program> {
    const program = Program.spawn(options);
    await program.ready();
    return program;
  }

  /** Waits until /readyz says so. @throws with the program's output when it ends or takes too long */
  async ready(): Promise<void> {
    const deadline = performance.now() + BOOT_TIMEOUT;
    while (!(await this.isReady())) {
      if (this.child.exitCode !== null || this.child.signalCode !== null)
        throw new Error(`${this.name} ended at boot:\n${this.text}`);
      if (performance.now() > deadline) throw new Error(`${this.name} is not ready:\n${this.text}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Where it listens, e.g. `http://127.0.0.1:40123`. */
  get url(): string {
    this.address ??= /Listening on (http:\/\/[\d.]+:\d+)/.exec(this.text)?.[1];
    if (!this.address) throw new Error(`${this.name} does not listen yet:\n${this.text}`);
    return this.address;
  }

  get pid(): number {
    if (this.child.pid === undefined) throw new Error(`${this.name} was not started`);
    return this.child.pid;
  }

  /** All that it has written to stdout and stderr. */
  get output(): string {
    return this.text;
  }

  get<T>(path: string, options?: RequestOptions): Promise<Answer<T>> {
    return this.request('GET', path, undefined, options);
  }

  post<T>(path: string, body?: unknown, options?: RequestOptions): Promise<Answer<T>> {
    return this.request('POST', path, body, options);
  }

  put<T>(path: string, body?: unknown, options?: RequestOptions): Promise<Answer<T>> {
    return this.request('PUT', path, body, options);
  }

  patch<T>(path: string, body?: unknown, options?: RequestOptions): Promise<Answer<T>> {
    return this.request('PATCH', path, body, options);
  }

  delete<T>(path: string, body?: unknown, options?: RequestOptions): Promise<Answer<T>> {
    return this.request('DELETE', path, body, options);
  }

  /**
   * @param body sent as JSON; a string goes as it is
   * @throws when the answer is not as openapi.json has it
   */
  async request<T>(
    method: string,
    path: string,
    body?: unknown,
    { token, headers }: RequestOptions = {},
  ): Promise<Answer<T>> {
    const response = await fetch(this.url + path, {
      method,
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...headers,
      },
      body: body === undefined || typeof body === 'string' ? body : JSON.stringify(body),
    });
    const text = await response.text();
    const isJson = /\bjson\b/.test(response.headers.get('content-type') ?? '');
    const answer = {
      status: response.status,
      headers: response.headers,
      body: (isJson && text !== '' ? JSON.parse(text) : text) as T,
    };
    expectContract(method, path, answer);
    return answer;
  }

  /** A valid token of the user. */
  async token(userId: number): Promise<string> {
    const known = this.tokens.get(userId);
    if (known !== undefined) return known;
    const { status, body } = await this.post<{ token: string }>('/api/auth/dev-token', { userId });
    if (status !== 200) throw new Error(`${this.name} gave no token: ${JSON.stringify(body)}`);
    this.tokens.set(userId, body.token);
    return body.token;
  }

  /** SIGTERM. @returns its exit code, once it has ended by itself */
  stop(): Promise<number | null> {
    return this.end('SIGTERM');
  }

  /** SIGKILL: nothing is finished and nobody is told. */
  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  /** Waits for the end of a program that is to end by itself. @returns its exit code */
  async ended(): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null)
      await once(this.child, 'close');
    return this.child.exitCode;
  }

  private end(signal: NodeJS.Signals): Promise<number | null> {
    const ended = this.ended();
    this.child.kill(signal);
    return ended;
  }

  private async isReady(): Promise<boolean> {
    if (!this.text.includes('Listening on ')) return false;
    try {
      const { status } = await this.get('/readyz');
      return status === 200;
    } catch {
      return false;
    }
  }
}
