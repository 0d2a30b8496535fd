import fc from 'fast-check';
import { UnavailableError } from '../platform/errors';
import { BadMessageError } from './bad-message.error';
import { BatchRunner } from './batch-runner';
import type { RawMessage } from './event-log';

type Fate = 'good' | 'bad' | 'poison';

const rawOf = (fates: readonly Fate[]): RawMessage[] =>
  fates.map((fate, offset) => ({
    key: null,
    value: Buffer.from(fate),
    partition: 0,
    offset,
    timestamp: 0,
    headers: {},
  }));

const decode = (value: Buffer): Fate => {
  if (value.toString() === 'bad') throw new BadMessageError('bad bytes');
  return value.toString() as Fate;
};

describe('BatchRunner', () => {
  it('buries a message only after all messages before it are handled', async () => {
    const steps: string[] = [];
    const runner = new BatchRunner<Fate>({
      decode,
      handle: (messages) => {
        steps.push(`handle ${messages.map(({ offset }) => offset).join()}`);
        return Promise.resolve();
      },
      bury: ({ offset }) => {
        steps.push(`bury ${offset}`);
        return Promise.resolve();
      },
      onRetry: () => undefined,
    });
    await runner.run(rawOf(['good', 'good', 'bad', 'good']), new AbortController().signal);
    expect(steps).toEqual(['handle 0,1', 'bury 2', 'handle 3']);
  });

  it('handles every good message in order and buries all others', async () => {
    const fates = fc.array(fc.constantFrom<Fate>('good', 'good', 'good', 'bad', 'poison'), {
      maxLength: 40,
    });
    await fc.assert(
      fc.asyncProperty(fates, async (all) => {
        const handled: number[] = [];
        const buried: number[] = [];
        const runner = new BatchRunner<Fate>({
          decode,
          handle: (messages) => {
            if (messages.some(({ value }) => value === 'poison'))
              return Promise.reject(new Error('poison'));
            handled.push(...messages.map(({ offset }) => offset));
            return Promise.resolve();
          },
          bury: ({ offset }) => {
            buried.push(offset);
            return Promise.resolve();
          },
          onRetry: () => undefined,
          backoff: () => 0,
        });
        await runner.run(rawOf(all), new AbortController().signal);
        const indexes = [...all.keys()];
        expect(handled).toEqual(indexes.filter((i) => all[i] === 'good'));
        expect(buried.sort((a, b) => a - b)).toEqual(indexes.filter((i) => all[i] !== 'good'));
      }),
    );
  });

  it('tries the whole batch again as long as a dependency is away', async () => {
    let left = 5;
    const sizes: number[] = [];
    const runner = new BatchRunner<Fate>({
      decode,
      handle: (messages) => {
        sizes.push(messages.length);
        return left-- > 0
          ? Promise.reject(new UnavailableError('mysql', 'away'))
          : Promise.resolve();
      },
      bury: () => Promise.reject(new Error('nothing may be buried')),
      onRetry: () => undefined,
      backoff: () => 0,
    });
    await runner.run(rawOf(['good', 'good']), new AbortController().signal);
    expect(sizes).toEqual([2, 2, 2, 2, 2, 2]);
  });

  it('waits for the log when it cannot bury a message', async () => {
    let left = 3;
    let buried = 0;
    const runner = new BatchRunner<Fate>({
      decode,
      handle: () => Promise.resolve(),
      bury: () => {
        if (left-- > 0) return Promise.reject(new UnavailableError('log', 'away'));
        buried++;
        return Promise.resolve();
      },
      onRetry: () => undefined,
      backoff: () => 0,
    });
    await runner.run(rawOf(['bad']), new AbortController().signal);
    expect(buried).toBe(1);
  });

  it('tries to bury a message until that succeeds, after any error', async () => {
    let left = 3;
    const buried: number[] = [];
    const runner = new BatchRunner<Fate>({
      decode,
      handle: (messages) =>
        messages.some(({ value }) => value === 'poison')
          ? Promise.reject(new Error('poison'))
          : Promise.resolve(),
      bury: ({ offset }) => {
        if (left-- > 0) return Promise.reject(new TypeError('another query failed'));
        buried.push(offset);
        return Promise.resolve();
      },
      onRetry: () => undefined,
      backoff: () => 0,
    });
    await runner.run(rawOf(['bad', 'good', 'poison']), new AbortController().signal);
    expect(buried).toEqual([0, 2]);
  });

  it('buries a message whose decoding throws any error', async () => {
    const reasons: string[] = [];
    const runner = new BatchRunner<Fate>({
      decode: () => {
        throw new RangeError('index out of range');
      },
      handle: () => Promise.resolve(),
      bury: (_, reason) => {
        reasons.push(reason);
        return Promise.resolve();
      },
      onRetry: () => undefined,
    });
    await runner.run(rawOf(['good']), new AbortController().signal);
    expect(reasons).toEqual(['RangeError: index out of range']);
  });

  it('ends at once when it is stopped during a wait', async () => {
    const stopping = new AbortController();
    const runner = new BatchRunner<Fate>({
      decode,
      handle: () => Promise.reject(new UnavailableError('mysql', 'away')),
      bury: () => Promise.resolve(),
      onRetry: () => stopping.abort(),
      backoff: () => 1_000_000,
    });
    await expect(runner.run(rawOf(['good']), stopping.signal)).rejects.toThrow();
    expect(stopping.signal.aborted).toBe(true);
  });
});
