import { Injectable } from '@nestjs/common';
import { InjectRedis } from '@nestjs-modules/ioredis';
import type { ChainableCommander, Redis } from 'ioredis';
import { UnavailableError } from '../errors';

/** Some fields of a hash. A key is always read with the same fields. */
export interface HashRead {
  readonly key: string;
  readonly fields: readonly string[];
}

/** The values of the fields, null where the hash has none. */
export type Fields = (string | null)[];

interface PendingRead {
  /** The indexes of its commands in the batch. */
  readonly commands: readonly number[];
  readonly resolve: (hashes: Fields[]) => void;
  readonly reject: (error: Error) => void;
}

type Answers = readonly (readonly [error: Error | null, fields?: unknown])[];

/**
 * Sends the reads of all requests that are being answered now in one pipeline, and gathers the next
 * reads while it is under way. Under load, one round trip, one write to the socket and one parse of
 * the reply serve many requests. Requests for the same key share one command; it is sent after all of
 * them have asked, so that no request receives data older than itself.
 */
@Injectable()
export class HashReadBatch {
  private pipeline: ChainableCommander | undefined;
  private pending: PendingRead[] = [];
  /** The commands' indexes in the pipeline, by key. */
  private readonly indexes = new Map<string, number>();
  /** Whether a batch is under way or about to be sent. */
  private isBusy = false;

  constructor(@InjectRedis() private readonly redis: Redis) {}

  /** The hashes' fields, in the order of the reads. */
  read(reads: readonly HashRead[]): Promise<Fields[]> {
    if (reads.length === 0) return Promise.resolve([]);
    const commands = reads.map((each) => this.indexOf(each));
    if (!this.isBusy) this.schedule();
    return new Promise((resolve, reject) => this.pending.push({ commands, resolve, reject }));
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

  /** Sends after this turn of the event loop has read all its sockets. */
  private schedule(): void {
    this.isBusy = true;
    setImmediate(() => void this.send());
  }

  private async send(): Promise<void> {
    const { pipeline } = this;
    const { size } = this.indexes;
    const pending = this.take();
    const answers: Answers = await pipeline!.exec().then(
      (answered) => answered ?? [],
      (error: Error) => Array<[Error]>(size).fill([error]),
    );
    for (const each of pending) resolveRead(each, answers);
    this.isBusy = false;
    // The next batch does not wait for a Redis that did not answer this one.
    const failure = answers.every(([error]) => error) && answers[0]?.[0];
    if (failure) for (const { reject } of this.take()) reject(failure);
    if (this.pipeline) this.schedule();
  }

  private take(): PendingRead[] {
    const { pending } = this;
    this.pipeline = undefined;
    this.pending = [];
    this.indexes.clear();
    return pending;
  }
}

function resolveRead({ commands, resolve, reject }: PendingRead, answers: Answers): void {
  const hashes: Fields[] = [];
  for (const command of commands) {
    const [error, fields] = answers[command] ?? [
      new UnavailableError('redis', 'it gave no answer'),
    ];
    if (error) return reject(error);
    hashes.push(fields as Fields);
  }
  resolve(hashes);
}
