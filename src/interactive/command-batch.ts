import type { ChainableCommander, Redis } from 'ioredis';

type Fields = (string | null)[];

interface Waiting {
  readonly resolve: (fields: Fields) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Sends the reads of all requests that are being answered at the moment in one pipeline, and gathers
 * the next ones while it is under way: under load a round trip, a write to the socket and a reply's
 * parse serve many of them. Requests for the same key share one command and what is made of its
 * answer; it is sent after all of them came, so none gets what is older than itself.
 */
export class CommandBatch {
  private pipeline: ChainableCommander | undefined;
  private waiting: Waiting[] = [];
  private readonly shared = new Map<string, Promise<unknown>>();
  /** Whether a batch is under way or about to be sent. */
  private isBusy = false;

  constructor(private readonly redis: Redis) {}

  /**
   * What `parse` makes of fields of a hash, null where there are none; the same fields and parse at
   * each call with a key. Its callers share the result.
   */
  hash<T>(key: string, fields: readonly string[], parse: (fields: Fields) => T): Promise<T> {
    let answer = this.shared.get(key) as Promise<T> | undefined;
    if (!answer) this.shared.set(key, (answer = this.queue(key, fields).then(parse)));
    return answer;
  }

  private queue(key: string, fields: readonly string[]): Promise<Fields> {
    this.pipeline ??= this.redis.pipeline();
    if (!this.isBusy) this.schedule();
    this.pipeline.hmget(key, ...fields);
    return new Promise((resolve, reject) => this.waiting.push({ resolve, reject }));
  }

  /** Sends after everything that this turn of the event loop reads from its sockets. */
  private schedule(): void {
    this.isBusy = true;
    setImmediate(() => void this.send());
  }

  private async send(): Promise<void> {
    const { pipeline } = this;
    const waiting = this.take();
    const failure = await carryOut(pipeline!, waiting);
    this.isBusy = false;
    // A Redis that does not answer is not waited for once more.
    if (failure) for (const { reject } of this.take()) reject(failure);
    if (this.pipeline) this.schedule();
  }

  private take(): Waiting[] {
    const { waiting } = this;
    this.pipeline = undefined;
    this.waiting = [];
    this.shared.clear();
    return waiting;
  }
}

/** @returns the error when everything failed */
async function carryOut(
  pipeline: ChainableCommander,
  waiting: readonly Waiting[],
): Promise<Error | undefined> {
  let failure: Error | undefined;
  let failures = 0;
  const answers = await pipeline
    .exec()
    .catch((error: Error) => waiting.map(() => [error] as const));
  waiting.forEach(({ resolve, reject }, i) => {
    const [error, fields] = answers?.[i] ?? [new Error('Redis gave no answer')];
    if (!error) return resolve(fields as Fields);
    reject((failure = error));
    failures++;
  });
  return failures === waiting.length ? failure : undefined;
}
