import fc from 'fast-check';
import { DomainError, UnavailableError } from '../platform/errors';
import { BadMessageError } from './bad-message.error';
import { BatchRunner, type BatchRunnerOptions } from './batch-runner';
import type { RawMessage } from './event-log';
import type { Message } from './message';

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

/** A runner whose handler throws `errorOf` for a poisoned message. */
function setUp(
  options: Partial<BatchRunnerOptions<Fate>> = {},
  errorOf = (): unknown => new TypeError('poison'),
) {
  const handled: number[] = [];
  const buried: number[] = [];
  const retries: unknown[] = [];
  const pass = (messages: readonly Message<Fate>[]): Promise<void> =>
    messages.some(({ value }) => value === 'poison')
      ? Promise.reject(errorOf() as Error)
      : Promise.resolve();
  const runner = new BatchRunner<Fate>({
    decode,
    handle: async (messages) => {
      await pass(messages);
      handled.push(...messages.map(({ offset }) => offset));
    },
    rehearse: pass,
    bury: ({ offset }) => {
      buried.push(offset);
      return Promise.resolve();
    },
    onRetry: (error) => retries.push(error),
    backoff: () => 0,
    ...options,
  });
  const run = (fates: readonly Fate[], following: readonly Fate[] = []): Promise<void> =>
    runner.run(rawOf(fates), new AbortController().signal, () =>
      rawOf([...fates, ...following]).slice(fates.length),
    );
  return { runner, run, handled, buried, retries };
}

describe('BatchRunner', () => {
  it('buries a message only after all messages before it are handled', async () => {
    const steps: string[] = [];
    const runner = new BatchRunner<Fate>({
      decode,
      rehearse: () => Promise.resolve(),
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
      fc.asyncProperty(fates, async (some) => {
        // One good message among those that follow shows that the handler works.
        const all: Fate[] = [...some, 'good'];
        const { run, handled, buried } = setUp();
        await run(all);
        const indexes = [...all.keys()];
        expect(handled).toEqual(indexes.filter((i) => all[i] === 'good'));
        expect(buried.sort((a, b) => a - b)).toEqual(indexes.filter((i) => all[i] !== 'good'));
      }),
    );
  });

  it('buries a message that fails alone, also when the others are not in its batch', async () => {
    const { run, handled, buried } = setUp();
    await run(['poison', 'poison'], ['poison', 'bad', 'good']);
    expect([handled, buried]).toEqual([[], [0, 1]]);
  });

  it.each([
    ['a bug of the handler', () => new TypeError('x is undefined')],
    [
      'a value that MySQL refuses',
      () => Object.assign(new Error('x'), { errno: 1264, sqlState: '22003' }),
    ],
  ])('buries nothing while all messages fail because of %s', async (_, errorOf) => {
    let isBroken = true;
    const { run, handled, buried, retries } = setUp(
      {
        handle: (messages) => {
          if (isBroken && retries.length < 50) return Promise.reject(errorOf());
          isBroken = false;
          handled.push(...messages.map(({ offset }) => offset));
          return Promise.resolve();
        },
        rehearse: () => (isBroken ? Promise.reject(errorOf()) : Promise.resolve()),
      },
      errorOf,
    );
    await run(['good', 'good', 'good']);
    expect([handled, buried]).toEqual([[0, 1, 2], []]);
  });

  it('buries a message that is the only one after more attempts', async () => {
    const { run, buried, retries } = setUp();
    await run(['poison']);
    expect(buried).toEqual([0]);
    expect(retries).toHaveLength(9);
  });

  it.each([new BadMessageError('no such value'), new DomainError(409, 'CONFLICT', 'x')])(
    'buries a message at once when its handler says that it is at fault: %s',
    async (error) => {
      const { run, handled, buried, retries } = setUp({}, () => error);
      await run(['poison', 'good', 'poison']);
      expect([handled, buried, retries]).toEqual([[1], [0, 2], []]);
    },
  );

  it('buries nothing because of an error of MySQL, Redis or the log, even if its neighbours pass', async () => {
    const errors = [
      Object.assign(new Error('NEWTEXT'), { name: 'ReplyError' }),
      Object.assign(new Error('NOREPLICAS Not enough'), { name: 'ReplyError' }),
      Object.assign(new Error("Table 'x' doesn't exist"), { errno: 1146, sqlState: '42S02' }),
      Object.assign(new Error('exceeded'), { errno: 1969, sqlState: '70100' }),
      Object.assign(new Error('x'), { name: 'KafkaJSProtocolError' }),
    ];
    let failures = 0;
    const { run, handled, buried } = setUp({
      handle: (messages) => {
        if (messages.some(({ offset }) => offset === 1) && failures++ < 100)
          return Promise.reject(errors[failures % errors.length]!);
        handled.push(...messages.map(({ offset }) => offset));
        return Promise.resolve();
      },
    });
    await run(['good', 'good', 'good']);
    expect([handled, buried]).toEqual([[0, 1, 2], []]);
  });

  it('tries the whole batch again as long as a dependency is away', async () => {
    let left = 5;
    const sizes: number[] = [];
    const runner = new BatchRunner<Fate>({
      decode,
      rehearse: () => Promise.resolve(),
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
      rehearse: () => Promise.resolve(),
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
      rehearse: () => Promise.resolve(),
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
      rehearse: () => Promise.resolve(),
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
      rehearse: () => Promise.resolve(),
      handle: () => Promise.reject(new UnavailableError('mysql', 'away')),
      bury: () => Promise.resolve(),
      onRetry: () => stopping.abort(),
      backoff: () => 1_000_000,
    });
    await expect(runner.run(rawOf(['good']), stopping.signal)).rejects.toThrow();
    expect(stopping.signal.aborted).toBe(true);
  });
});
