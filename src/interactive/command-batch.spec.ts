import type { Redis } from 'ioredis';
import { CommandBatch } from './command-batch';

/** Stands for the connection: answers each HMGET with its own key and fields. */
function connection(): { redis: Redis; sent: string[][] } {
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
        exec: () => Promise.resolve(answers),
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
      batch.hmget('a', 'x'),
      batch.hmget('b', 'y'),
      batch.hmget('a', 'x'),
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
    await batch.hmget('a', 'x');
    await batch.hmget('a', 'x');
    expect(sent).toEqual([['a'], ['a']]);
  });

  it('tells a failure to everyone who waits', async () => {
    const redis = {
      pipeline: () => ({
        hmget: () => undefined,
        exec: () => Promise.reject(new Error('away')),
      }),
    };
    const batch = new CommandBatch(redis as unknown as Redis);
    const waiting = [batch.hmget('a', 'x'), batch.hmget('a', 'x'), batch.hmget('b', 'x')];
    for (const each of waiting) await expect(each).rejects.toThrow('away');
  });
});
