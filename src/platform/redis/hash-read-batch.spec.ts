import { setImmediate } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { HashReadBatch, type Fields } from './hash-read-batch';

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

/** Stands for a connection with given answers, one for each pipeline. */
function connectionThat(...answers: readonly (() => Promise<unknown>)[]): Redis {
  const left = [...answers];
  return {
    pipeline: () => ({ hmget: () => undefined, exec: () => left.shift()!() }),
  } as unknown as Redis;
}

/** Reads the field x of the keys. */
const read = (batch: HashReadBatch, ...keys: string[]): Promise<Fields[]> =>
  batch.read(keys.map((key) => ({ key, fields: ['x'] })));

describe('HashReadBatch', () => {
  it('sends the reads of one turn of the event loop together, and each key once', async () => {
    const { redis, sent } = connection();
    const batch = new HashReadBatch(redis);
    const answers = await Promise.all([
      read(batch, 'a', 'b'),
      batch.read([{ key: 'c', fields: ['y', 'z'] }]),
      read(batch, 'b', 'b', 'a'),
      read(batch),
    ]);
    expect(answers).toEqual([
      [
        ['a', 'x'],
        ['b', 'x'],
      ],
      [['c', 'y', 'z']],
      [
        ['b', 'x'],
        ['b', 'x'],
        ['a', 'x'],
      ],
      [],
    ]);
    expect(sent).toEqual([['a', 'b', 'c']]);
  });

  it('asks again for reads that arrive after a batch was sent', async () => {
    const { redis, sent } = connection();
    const batch = new HashReadBatch(redis);
    await read(batch, 'a');
    await read(batch, 'a');
    expect(sent).toEqual([['a'], ['a']]);
  });

  it('gathers reads while a batch is under way, and sends them afterwards', async () => {
    let answer = (): void => undefined;
    const { redis, sent } = connection(new Promise<void>((resolve) => (answer = resolve)));
    const batch = new HashReadBatch(redis);
    const first = read(batch, 'a');
    await setImmediate();
    const others = [read(batch, 'a'), read(batch, 'b')];
    await setImmediate();
    expect(sent).toEqual([['a'], ['a', 'b']]);
    answer();
    await Promise.all([first, ...others]);
    await read(batch, 'c');
    expect(sent).toEqual([['a'], ['a', 'b'], ['c']]);
  });

  it('reports a failure to all pending reads, and to those that were gathered meanwhile', async () => {
    let fail = (): void => undefined;
    const failure = new Promise<never>((_, reject) => (fail = () => reject(new Error('away'))));
    const batch = new HashReadBatch(
      connectionThat(
        () => failure,
        () => Promise.resolve([[null, ['back']]]),
      ),
    );
    const waiting = ['a', 'a', 'b'].map((key) => read(batch, key));
    await setImmediate();
    waiting.push(read(batch, 'c'));
    fail();
    for (const each of waiting) await expect(each).rejects.toThrow('away');
    expect(await read(batch, 'a')).toEqual([['back']]);
  });

  it('fails only the reads whose commands failed', async () => {
    const batch = new HashReadBatch(
      connectionThat(() => Promise.resolve([[new Error('WRONGTYPE')], [null, ['1']]])),
    );
    const both = read(batch, 'a', 'b');
    const right = read(batch, 'b');
    await expect(both).rejects.toThrow('WRONGTYPE');
    expect(await right).toEqual([['1']]);
  });
});
