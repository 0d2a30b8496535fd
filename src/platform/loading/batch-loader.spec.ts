import { BatchLoader } from './batch-loader';

const turn = (): Promise<void> => new Promise(setImmediate);

describe('BatchLoader', () => {
  const loaderOf = (
    load: (keys: readonly number[]) => Promise<number[]>,
  ): BatchLoader<number, number> => new BatchLoader(String, load);

  it('loads in one query what several callers ask for, and returns each in its own order', async () => {
    const loads: (readonly number[])[] = [];
    const loader = loaderOf((keys) => {
      loads.push(keys);
      return Promise.resolve(keys.map((key) => key * 10));
    });
    const [one, two] = await Promise.all([loader.load([1, 2, 3]), loader.load([3, 4, 1, 4])]);
    expect(one).toEqual([10, 20, 30]);
    expect(two).toEqual([30, 40, 10, 40]);
    expect(loads).toEqual([[1, 2, 3, 4]]);
  });

  it('gathers while it loads, and shares no load that started before the request', async () => {
    const loads: { keys: readonly number[]; end: () => void }[] = [];
    let value = 0;
    const loader = loaderOf((keys) => {
      const now = value;
      return new Promise((resolve) => {
        loads.push({ keys, end: () => resolve(keys.map(() => now)) });
      });
    });
    const first = loader.load([1]);
    while (loads.length === 0) await turn();
    value = 1;
    const later = [loader.load([1]), loader.load([2])];
    await turn();
    later.push(loader.load([1, 3]));
    expect(loads).toHaveLength(1);
    loads[0]!.end();
    expect(await first).toEqual([0]);
    while (loads.length === 1) await turn();
    loads[1]!.end();
    expect(await Promise.all(later)).toEqual([[1], [1], [1, 1]]);
    expect(loads.map(({ keys }) => keys)).toEqual([[1], [1, 2, 3]]);
  });

  it('does not wait for a load that hangs', async () => {
    let hangs = false;
    const loader = loaderOf((keys) => {
      if (!keys.includes(1)) return Promise.resolve([...keys]);
      hangs = true;
      return new Promise(() => undefined);
    });
    void loader.load([1]);
    while (!hangs) await turn();
    expect(await loader.load([2])).toEqual([2]);
    expect(await loader.load([3])).toEqual([3]);
  });

  it('starts another load when one is full', async () => {
    const sizes: number[] = [];
    const loader = loaderOf((keys) => {
      sizes.push(keys.length);
      return Promise.resolve([...keys]);
    });
    const keys = Array.from({ length: 2_500 }, (_, i) => i);
    const all = await Promise.all(keys.map((key) => loader.load([key])));
    expect(all.flat()).toEqual(keys);
    expect(sizes).toEqual([1_000, 1_000, 500]);
  });

  it('reports a failure to all callers that wait, and does not remember it', async () => {
    let fails = true;
    const loader = loaderOf((keys) =>
      fails ? Promise.reject(new Error('away')) : Promise.resolve([...keys]),
    );
    const waiting = await Promise.allSettled([loader.load([1]), loader.load([2])]);
    expect(waiting.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    fails = false;
    expect(await loader.load([1])).toEqual([1]);
  });
});
