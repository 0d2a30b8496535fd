import fc from 'fast-check';
import type { RawMessage } from './event-log';
import { PartitionWorker } from './partition-worker';

const messages = (from: number, count: number, bytes = 0): RawMessage[] =>
  Array.from({ length: count }, (_, i) => ({
    key: null,
    value: Buffer.alloc(bytes),
    partition: 0,
    offset: from + i,
    timestamp: 0,
    headers: {},
  }));

describe('PartitionWorker', () => {
  it('handles everything once, in order, in batches of at most the size, and commits after each', async () => {
    const chunks = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 10 });
    await fc.assert(
      fc.asyncProperty(chunks, fc.integer({ min: 1, max: 12 }), async (sizes, size) => {
        const handled: number[] = [];
        const commits: number[] = [];
        const total = sizes.reduce((sum, each) => sum + each, 0);
        await new Promise<void>((resolve) => {
          const worker = new PartitionWorker({
            size,
            lingerMs: 0,
            handle: (batch) => {
              expect(batch.length).toBeLessThanOrEqual(size);
              handled.push(...batch.map(({ offset }) => offset));
              return Promise.resolve();
            },
            commit: (offset) => {
              commits.push(offset);
              if (offset === total) resolve();
              return Promise.resolve(true);
            },
          });
          void (async () => {
            let from = 0;
            for (const count of sizes) {
              await worker.push(messages(from, count));
              from += count;
            }
          })();
        });
        expect(handled).toEqual([...Array(total).keys()]);
        expect(commits).toEqual([...commits].sort((a, b) => a - b));
      }),
      { numRuns: 50 },
    );
  });

  it('makes the fetcher wait while it is full', async () => {
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const worker = new PartitionWorker({
      size: 2,
      lingerMs: 0,
      handle: () => gate,
      commit: () => Promise.resolve(true),
    });
    let hadRoom = false;
    const pushed = worker.push(messages(0, 20)).then(() => (hadRoom = true));
    await new Promise(setImmediate);
    expect(hadRoom).toBe(false);
    release();
    await pushed;
    await worker.stop();
  });

  it('ends batches of large messages at 500 KB, and makes the fetcher wait by bytes too', async () => {
    const sizes: number[] = [];
    const gate = Promise.withResolvers<void>();
    const done = Promise.withResolvers<void>();
    const worker = new PartitionWorker({
      size: 500,
      lingerMs: 1_000_000,
      handle: (batch) => {
        sizes.push(batch.length);
        return gate.promise;
      },
      commit: (offset) => {
        if (offset === 9) done.resolve();
        return Promise.resolve(true);
      },
    });
    let hadRoom = false;
    void worker.push(messages(0, 9, 200_000)).then(() => (hadRoom = true));
    await new Promise(setImmediate);
    expect(hadRoom).toBe(false);
    gate.resolve();
    await done.promise;
    await worker.stop();
    expect(sizes).toEqual([3, 3, 3]);
  });

  it('finishes and commits the running batch when it is stopped, and drops the rest', async () => {
    const commits: number[] = [];
    let entered = (): void => undefined;
    const running = new Promise<void>((resolve) => (entered = resolve));
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const worker = new PartitionWorker({
      size: 3,
      lingerMs: 0,
      handle: () => {
        entered();
        return gate;
      },
      commit: (offset) => {
        commits.push(offset);
        return Promise.resolve(true);
      },
    });
    void worker.push(messages(0, 9));
    await running;
    const stopped = worker.stop();
    release();
    await stopped;
    expect(commits).toEqual([3]);
  });

  it('repeats a commit that the log refused, even when no further message arrives', async () => {
    const commits: number[] = [];
    const taken = Promise.withResolvers<void>();
    const worker = new PartitionWorker({
      size: 3,
      lingerMs: 0,
      handle: () => Promise.resolve(),
      commit: (offset) => {
        commits.push(offset);
        if (commits.length === 3) taken.resolve();
        return Promise.resolve(commits.length === 3);
      },
      backoff: () => 0,
    });
    void worker.push(messages(0, 3));
    await taken.promise;
    void worker.push(messages(3, 1));
    await worker.stop();
    expect(commits.slice(0, 3)).toEqual([3, 3, 3]);
  });

  it('handles messages that arrive while a commit is refused, and then commits only after them', async () => {
    const commits: number[] = [];
    const refused = Promise.withResolvers<void>();
    const taken = Promise.withResolvers<void>();
    const worker = new PartitionWorker({
      size: 3,
      lingerMs: 0,
      handle: () => Promise.resolve(),
      commit: (offset) => {
        commits.push(offset);
        if (offset === 6) taken.resolve();
        return Promise.resolve(offset === 6);
      },
      backoff: () => {
        refused.resolve();
        return 1_000_000;
      },
    });
    void worker.push(messages(0, 3));
    await refused.promise;
    void worker.push(messages(3, 3));
    await taken.promise;
    await worker.stop();
    expect(commits).toEqual([3, 6]);
  });

  it('ends when it is stopped while commits are refused', async () => {
    const refused = Promise.withResolvers<void>();
    const worker = new PartitionWorker({
      size: 1,
      lingerMs: 0,
      handle: () => Promise.resolve(),
      commit: () => Promise.resolve(false),
      backoff: () => {
        refused.resolve();
        return 1_000_000;
      },
    });
    void worker.push(messages(0, 1));
    await refused.promise;
    await worker.stop();
  });

  it('does not commit a batch that the stop aborted', async () => {
    const commits: number[] = [];
    let worker: PartitionWorker | undefined;
    const ended = new Promise<void>((resolve) => {
      worker = new PartitionWorker({
        size: 1,
        lingerMs: 0,
        handle: (_, stopping) =>
          new Promise((_resolve, reject) => {
            stopping.addEventListener('abort', () => reject(stopping.reason as Error));
            resolve();
          }),
        commit: (offset) => {
          commits.push(offset);
          return Promise.resolve(true);
        },
      });
      void worker.push(messages(0, 1));
    });
    await ended;
    await worker?.stop();
    expect(commits).toEqual([]);
  });

  it('tries a batch again after any error, and continues after it', async () => {
    const handled: number[] = [];
    let left = 3;
    let worker: PartitionWorker | undefined;
    const commits: number[] = [];
    await new Promise<void>((resolve) => {
      worker = new PartitionWorker({
        size: 2,
        lingerMs: 0,
        start: () => (left-- > 2 ? Promise.reject(new Error('cannot start')) : Promise.resolve()),
        handle: (batch) => {
          if (left-- > 0) return Promise.reject(new TypeError('no dependency of ours'));
          handled.push(...batch.map(({ offset }) => offset));
          return Promise.resolve();
        },
        commit: (offset) => {
          commits.push(offset);
          if (offset === 4) resolve();
          return Promise.resolve(true);
        },
        backoff: () => 0,
      });
      void worker.push(messages(0, 4));
    });
    await worker?.stop();
    expect(handled).toEqual([0, 1, 2, 3]);
    expect(commits).toEqual([2, 4]);
  });

  it('ends at once when it is stopped during the wait before a retry', async () => {
    const failed = Promise.withResolvers<void>();
    const worker = new PartitionWorker({
      size: 1,
      lingerMs: 0,
      handle: () => Promise.reject(new Error('always')),
      commit: () => Promise.reject(new Error('nothing may be committed')),
      backoff: () => {
        failed.resolve();
        return 1_000_000;
      },
    });
    void worker.push(messages(0, 1));
    await failed.promise;
    await worker.stop();
  });

  it('commits what holds no message: alone, and together with the last message before it', async () => {
    const commits: number[] = [];
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const worker = new PartitionWorker({
      size: 10,
      lingerMs: 0,
      handle: () => gates[1]!.promise,
      commit: (offset) => {
        commits.push(offset);
        if (offset === 5) gates[0]!.resolve();
        return Promise.resolve(true);
      },
    });
    worker.passOver(5);
    await gates[0]!.promise;
    void worker.push(messages(5, 2));
    worker.passOver(9);
    gates[1]!.resolve();
    while (commits.length < 2) await new Promise((resolve) => setImmediate(resolve));
    await worker.stop();
    expect(commits).toEqual([5, 9]);
  });

  it('commits nothing that follows messages which a stop drops', async () => {
    const commits: number[] = [];
    const gate = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const worker = new PartitionWorker({
      size: 1,
      lingerMs: 0,
      handle: () => {
        begun.resolve();
        return gate.promise;
      },
      commit: (offset) => {
        commits.push(offset);
        return Promise.resolve(true);
      },
    });
    void worker.push(messages(0, 3));
    worker.passOver(9);
    await begun.promise;
    const stopped = worker.stop();
    gate.resolve();
    await stopped;
    expect(commits).toEqual([1]);
  });
});
