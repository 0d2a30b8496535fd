import { setImmediate } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { CommandBatch, type Fields } from './command-batch';

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

/** Stands for one that answers as it is told, pipeline after pipeline. */
function connectionThat(...answers: readonly (() => Promise<unknown>)[]): Redis {
  const left = [...answers];
  return {
    pipeline: () => ({ hmget: () => undefined, exec: () => left.shift()!() }),
  } as unknown as Redis;
}

/** Reads the field x of the keys. */
const read = (batch: CommandBatch, ...keys: string[]): Promise<Fields[]> =>
  batch.read(keys.map((key) => ({ key, fields: ['x'] })));

describe('CommandBatch', () => {
  it('sends what one turn of the event loop asks for at once, and each key once', async () => {
    const { redis, sent } = connection();
    const batch = new CommandBatch(redis);
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

  it('asks again for what comes after a batch was sent', async () => {
    const { redis, sent } = connection();
    const batch = new CommandBatch(redis);
    await read(batch, 'a');
    await read(batch, 'a');
    expect(sent).toEqual([['a'], ['a']]);
  });

  it('gathers while a batch is under way, and sends it then', async () => {
    let answer = (): void => undefined;
    const { redis, sent } = connection(new Promise<void>((resolve) => (answer = resolve)));
    const batch = new CommandBatch(redis);
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

  it('tells a failure to everyone who waits, and to those behind it', async () => {
    let fail = (): void => undefined;
    const failure = new Promise<never>((_, reject) => (fail = () => reject(new Error('away'))));
    const batch = new CommandBatch(
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

  it('fails those alone whose commands failed', async () => {
    const batch = new CommandBatch(
      connectionThat(() => Promise.resolve([[new Error('WRONGTYPE')], [null, ['1']]])),
    );
    const both = read(batch, 'a', 'b');
    const right = read(batch, 'b');
    await expect(both).rejects.toThrow('WRONGTYPE');
    expect(await right).toEqual([['1']]);
  });
});
