import { setImmediate } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { CommandBatch } from './command-batch';

const same = (fields: (string | null)[]): (string | null)[] => fields;

/** Stands for the connection: answers each HMGET with its own key and fields. */
function connection(answered: Promise<unknown> = Promise.resolve()) {
  const sent: string[][] = [];
  const redis = {
    pipeline() {
      const commands: string[] = [];
      sent.push(commands);
      const answers: [null, string[]][] = [];
      return {
        hmget(key: string, ...fields: string[]) {
          commands.push(key);
          answers.push([null, [key, ...fields]]);
        },
        exec: () => answered.then(() => answers),
      };
    },
  };
  return { redis: redis as unknown as Redis, sent };
}

describe('CommandBatch', () => {
  it('sends what one turn of the event loop asks for at once, and each key once', async () => {
    const { redis, sent } = connection();
    const batch = new CommandBatch(redis);
    const answers = await Promise.all([
      batch.hash('a', ['x'], same),
      batch.hash('b', ['y'], same),
      batch.hash('a', ['x'], same),
    ]);
    expect(answers).toEqual([
      ['a', 'x'],
      ['b', 'y'],
      ['a', 'x'],
    ]);
    expect(sent).toEqual([['a', 'b']]);
  });

  it('asks again for what comes after a batch was sent', async () => {
    const { redis, sent } = connection();
    const batch = new CommandBatch(redis);
    await batch.hash('a', ['x'], same);
    await batch.hash('a', ['x'], same);
    expect(sent).toEqual([['a'], ['a']]);
  });

  it('gathers while a batch is under way, and sends it then', async () => {
    let answer = (): void => undefined;
    const { redis, sent } = connection(new Promise<void>((resolve) => (answer = resolve)));
    const batch = new CommandBatch(redis);
    const first = batch.hash('a', ['x'], same);
    await setImmediate();
    const others = [batch.hash('a', ['x'], same), batch.hash('b', ['x'], same)];
    await setImmediate();
    expect(sent).toEqual([['a'], ['a', 'b']]);
    answer();
    await Promise.all([first, ...others]);
    await batch.hash('c', ['x'], same);
    expect(sent).toEqual([['a'], ['a', 'b'], ['c']]);
  });

  it('parses once for all who asked for a key', async () => {
    const batch = new CommandBatch(connection().redis);
    const parse = (fields: (string | null)[]) => ({ fields });
    const [one, other] = await Promise.all([
      batch.hash('a', ['x'], parse),
      batch.hash('a', ['x'], parse),
    ]);
    expect(one).toEqual({ fields: ['a', 'x'] });
    expect(other).toBe(one);
  });

  it('tells a failure to everyone who waits, and to those behind it', async () => {
    let fail = (): void => undefined;
    const failure = new Promise<never>((_, reject) => (fail = () => reject(new Error('away'))));
    const execs: Promise<unknown>[] = [failure, Promise.resolve([[null, ['back']]])];
    const redis = {
      pipeline: () => ({ hmget: () => undefined, exec: () => execs.shift() }),
    };
    const batch = new CommandBatch(redis as unknown as Redis);
    const waiting = ['a', 'a', 'b'].map((key) => batch.hash(key, ['x'], same));
    await setImmediate();
    waiting.push(batch.hash('c', ['x'], same));
    fail();
    for (const each of waiting) await expect(each).rejects.toThrow('away');
    expect(await batch.hash('a', ['x'], same)).toEqual(['back']);
  });

  it('fails alone what alone failed', async () => {
    const redis = {
      pipeline: () => ({
        hmget: () => undefined,
        exec: () => Promise.resolve([[new Error('WRONGTYPE')], [null, ['1']]]),
      }),
    };
    const batch = new CommandBatch(redis as unknown as Redis);
    const wrong = batch.hash('a', ['x'], same);
    const right = batch.hash('b', ['x'], same);
    await expect(wrong).rejects.toThrow('WRONGTYPE');
    expect(await right).toEqual(['1']);
  });
});
