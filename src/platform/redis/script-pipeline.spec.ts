import type { Redis } from 'ioredis';
import type { RedisScript } from './redis-script';
import { ScriptPipeline } from './script-pipeline';

type Answers = [Error | null, unknown][];

function setUp(...executions: Answers[]) {
  const load = jest.fn(async () => undefined);
  const redis = {
    pipeline: () => {
      const pipeline = { length: 0, exec: async () => executions.shift() };
      return pipeline;
    },
  };
  const scripts = [{ load }, { load }] as unknown as RedisScript[];
  const run = (commands: number): Promise<unknown[]> =>
    new ScriptPipeline(redis as unknown as Redis, scripts).run((pipeline) => {
      (pipeline as unknown as { length: number }).length = commands;
    });
  return { run, load };
}

const forgotten: [Error, unknown] = [new Error('NOSCRIPT No matching script'), undefined];

describe('ScriptPipeline', () => {
  it('gives the results in the order of the commands', async () => {
    const { run, load } = setUp([
      [null, 1],
      [null, 'two'],
    ]);
    expect(await run(2)).toEqual([1, 'two']);
    expect(load).not.toHaveBeenCalled();
  });

  it('sends nothing when there are no commands', async () => {
    expect(await setUp().run(0)).toEqual([]);
  });

  it('loads its scripts and sends again when the server has lost them', async () => {
    const { run, load } = setUp(
      [[null, 1], forgotten],
      [
        [null, 1],
        [null, 2],
      ],
    );
    expect(await run(2)).toEqual([1, 2]);
    expect(load).toHaveBeenCalledTimes(2);
  });

  it('throws any other error, and a second loss', async () => {
    await expect(setUp([[new Error('WRONGTYPE'), undefined]]).run(1)).rejects.toThrow('WRONGTYPE');
    await expect(setUp([forgotten], [forgotten]).run(1)).rejects.toThrow('NOSCRIPT');
  });
});
