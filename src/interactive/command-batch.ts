import type { ChainableCommander, Redis } from 'ioredis';

type Fields = (string | null)[];

interface Waiting {
  readonly resolve: (fields: Fields) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Sends the reads of all requests that are being answered at the moment in one pipeline: under load
 * a round trip, a write to the socket and a reply's parse serve many of them. Requests for the same
 * key share one command; it is sent after all of them came, so none gets what is older than itself.
 */
export class CommandBatch {
  private pipeline: ChainableCommander | undefined;
  private waiting: Waiting[] = [];
  private readonly shared = new Map<string, Promise<Fields>>();

  constructor(private readonly redis: Redis) {}

  /** Fields of a hash, null where there are none; the same fields at each call with a key. */
  hmget(key: string, ...fields: string[]): Promise<Fields> {
    let answer = this.shared.get(key);
    if (!answer) this.shared.set(key, (answer = this.queue(key, fields)));
    return answer;
  }

  private queue(key: string, fields: string[]): Promise<Fields> {
    if (!this.pipeline) {
      this.pipeline = this.redis.pipeline();
      // After everything that this turn of the event loop has read from its sockets.
      setImmediate(() => void this.send());
    }
    this.pipeline.hmget(key, ...fields);
    return new Promise((resolve, reject) => this.waiting.push({ resolve, reject }));
  }

  private async send(): Promise<void> {
    const { pipeline, waiting } = this;
    this.pipeline = undefined;
    this.waiting = [];
    this.shared.clear();
    try {
      const answers = (await pipeline?.exec()) ?? [];
      waiting.forEach(({ resolve, reject }, i) => {
        const [error, fields] = answers[i] ?? [new Error('Redis gave no answer')];
        if (error) reject(error);
        else resolve(fields as Fields);
      });
    } catch (error) {
      for (const { reject } of waiting) reject(error as Error);
    }
  }
}
