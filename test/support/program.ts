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
  /** For the messages of failures. */
  name?: string;
  /** Added to NODE_ENV=test and a free port; must have MYSQL_URL and REDIS_URL. */
  env: Record<string, string | undefined>;
}

/** Enough for a boot with all migrations on a busy machine. */
const BOOT_TIMEOUT_MS = 60_000;

/** Time for a shutdown; after it, a program is killed. */
const SHUTDOWN_TIMEOUT_MS = 30_000;

const running = new Set<ChildProcess>();

// A program that a failed test left running would disturb the suites after it.
afterAll(() => Promise.all([...running].map(endOf)));

async function endOf(child: ChildProcess): Promise<void> {
  const ended = once(child, 'close');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), SHUTDOWN_TIMEOUT_MS);
  await ended;
  clearTimeout(timer);
}

// The program gets no other variable of the tests' environment.
const { PATH, HOME, LANG } = process.env;

/** The program in its own process, as in production. */
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

  /** Starts the program without waiting: it may still be booting, or its boot may fail. */
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

  /** Waits until it is ready. @throws with the program's output when it ends or takes too long */
  async ready(): Promise<void> {
    const deadline = performance.now() + BOOT_TIMEOUT_MS;
    while (!(await this.isReady())) {
      if (this.child.exitCode !== null || this.child.signalCode !== null)
        throw new Error(`${this.name} ended at boot:\n${this.text}`);
      if (performance.now() > deadline) throw new Error(`${this.name} is not ready:\n${this.text}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Its address, e.g. `http://127.0.0.1:40123`. */
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
   * @param body sent as JSON; a string is sent as it is
   * @throws when the answer does not match openapi.json
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
    if (status !== 200) throw new Error(`${this.name} issued no token: ${JSON.stringify(body)}`);
    this.tokens.set(userId, body.token);
    return body.token;
  }

  /** Sends SIGTERM. @returns the exit code, once the program has ended by itself */
  stop(): Promise<number | null> {
    return this.end('SIGTERM');
  }

  /** Sends SIGKILL: the program finishes nothing and informs nobody. */
  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  /** Waits until the program ends by itself. @returns its exit code */
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
