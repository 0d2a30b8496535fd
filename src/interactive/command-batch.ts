import type { ChainableCommander, Redis } from 'ioredis';

/** Some fields of a hash; the same ones each time that the key is read. */
export interface HashRead {
  readonly key: string;
  readonly fields: readonly string[];
}

/** The fields that were read, null where there are none. */
export type Fields = (string | null)[];

interface Waiting {
  /** Which of the batch's commands it waits for. */
  readonly commands: readonly number[];
  readonly resolve: (hashes: Fields[]) => void;
  readonly reject: (error: Error) => void;
}

type Answers = readonly (readonly [error: Error | null, fields?: unknown])[];

/**
 * Sends the reads of all requests that are being answered at the moment in one pipeline, and gathers
 * the next ones while it is under way: under load a round trip, a write to the socket and a reply's
 * parse serve many of them. Requests for the same key share one command; it is sent after all of
 * them came, so none gets what is older than itself.
 */
export class CommandBatch {
  private pipeline: ChainableCommander | undefined;
  private waiting: Waiting[] = [];
  /** Of the commands in the pipeline, by key. */
  private readonly indexes = new Map<string, number>();
  /** Whether a batch is under way or about to be sent. */
  private isBusy = false;

  constructor(private readonly redis: Redis) {}

  /** The hashes' fields, in the order of the reads. */
  read(reads: readonly HashRead[]): Promise<Fields[]> {
    if (reads.length === 0) return Promise.resolve([]);
    const commands = reads.map((each) => this.indexOf(each));
    if (!this.isBusy) this.schedule();
    return new Promise((resolve, reject) => this.waiting.push({ commands, resolve, reject }));
  }

  private indexOf({ key, fields }: HashRead): number {
    let index = this.indexes.get(key);
    if (index === undefined) {
      index = this.indexes.size;
      this.indexes.set(key, index);
      this.pipeline ??= this.redis.pipeline();
      this.pipeline.hmget(key, ...fields);
    }
    return index;
  }

  /** Sends after everything that this turn of the event loop reads from its sockets. */
  private schedule(): void {
    this.isBusy = true;
    setImmediate(() => void this.send());
  }

  private async send(): Promise<void> {
    const { pipeline } = this;
    const { size } = this.indexes;
    const waiting = this.take();
    const answers: Answers = await pipeline!.exec().then(
      (answered) => answered ?? [],
      (error: Error) => Array<[Error]>(size).fill([error]),
    );
    for (const each of waiting) settle(each, answers);
    this.isBusy = false;
    // A Redis that does not answer is not waited for once more.
    const failure = answers.every(([error]) => error) && answers[0]?.[0];
    if (failure) for (const { reject } of this.take()) reject(failure);
    if (this.pipeline) this.schedule();
  }

  private take(): Waiting[] {
    const { waiting } = this;
    this.pipeline = undefined;
    this.waiting = [];
    this.indexes.clear();
    return waiting;
  }
}

function settle({ commands, resolve, reject }: Waiting, answers: Answers): void {
  const hashes: Fields[] = [];
  for (const command of commands) {
    const [error, fields] = answers[command] ?? [new Error('Redis gave no answer')];
    if (error) return reject(error);
    hashes.push(fields as Fields);
  }
  resolve(hashes);
}
