import { pause } from './pause';
import { retry, type RetryOptions } from './retry';
import { waitAtMost } from './wait-at-most';
import { withTimeout } from './with-timeout';

describe('pause', () => {
  it('ends when it is aborted, also when that was before', async () => {
    const stopping = new AbortController();
    const paused = pause(60_000, stopping.signal);
    stopping.abort();
    await paused;
    await pause(60_000, stopping.signal);
  });
});

describe('withTimeout', () => {
  it('gives the result or the error of the work', async () => {
    expect(await withTimeout(60_000, Promise.resolve(1))).toBe(1);
    await expect(withTimeout(60_000, Promise.reject(new Error('away')))).rejects.toThrow('away');
  });

  it('rejects when the work takes longer, and a later failure of the work is not unhandled', async () => {
    let fail = (): void => undefined;
    const work = new Promise<never>((_, reject) => (fail = () => reject(new Error('late'))));
    await expect(withTimeout(1, work)).rejects.toThrow('no answer within 1 ms');
    await expect(withTimeout(1, work, () => new Error('too slow'))).rejects.toThrow('too slow');
    fail();
    // An unhandled rejection would fail the test run in this turn.
    await new Promise((resolve) => setImmediate(resolve));
  });
});

describe('waitAtMost', () => {
  it('ends with the work, or when the time is over', async () => {
    await waitAtMost(60_000, Promise.resolve(), () => undefined);
    await waitAtMost(1, new Promise(() => undefined), () => undefined);
  });

  it('throws an error of the work, and reports one that comes later', async () => {
    const late: unknown[] = [];
    const failed = Promise.reject(new Error('away'));
    await expect(waitAtMost(60_000, failed, (error) => late.push(error))).rejects.toThrow('away');
    let fail = (): void => undefined;
    const work = new Promise<never>((_, reject) => (fail = () => reject(new Error('late'))));
    await waitAtMost(1, work, (error) => late.push(error));
    fail();
    await new Promise((resolve) => setImmediate(resolve));
    expect(late).toEqual([new Error('late')]);
  });
});

describe('retry', () => {
  const options: RetryOptions = {
    attempts: 3,
    firstPauseMs: 1,
    isPassing: (error) => (error as Error).message === 'passing',
    giveUp: (error) => new Error(`gave up: ${(error as Error).message}`),
  };
  const failing = (...messages: string[]) => {
    let calls = 0;
    const work = async (): Promise<number> => {
      const message = messages[calls++];
      if (message !== undefined) throw new Error(message);
      return calls;
    };
    return { work, calls: () => calls };
  };

  it('tries again after an error that passes', async () => {
    expect(await retry(options, failing('passing', 'passing').work)).toBe(3);
  });

  it('throws any other error at once', async () => {
    const { work, calls } = failing('fatal');
    await expect(retry(options, work)).rejects.toThrow('fatal');
    expect(calls()).toBe(1);
  });

  it('gives up after the last attempt', async () => {
    const { work, calls } = failing('passing', 'passing', 'passing', 'passing');
    await expect(retry(options, work)).rejects.toThrow('gave up: passing');
    expect(calls()).toBe(3);
  });
});
