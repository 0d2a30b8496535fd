import { BatchLoader } from './batch-loader';

describe('BatchLoader', () => {
  const loaderOf = (
    load: (keys: readonly number[]) => Promise<number[]>,
  ): BatchLoader<number, number> => new BatchLoader(String, load);

  it('loads what several ask for at once only once, and each in its order', async () => {
    const loads: (readonly number[])[] = [];
    const loader = loaderOf(async (keys) => {
      loads.push(keys);
      await new Promise(setImmediate);
      return keys.map((key) => key * 10);
    });
    const [one, two] = await Promise.all([loader.load([1, 2, 3]), loader.load([3, 4, 1, 4])]);
    expect(one).toEqual([10, 20, 30]);
    expect(two).toEqual([30, 40, 10, 40]);
    expect(loads).toEqual([[1, 2, 3], [4]]);
  });

  it('loads anew what was loaded before', async () => {
    let loads = 0;
    const loader = loaderOf((keys) => {
      loads++;
      return Promise.resolve([...keys]);
    });
    await loader.load([1]);
    await loader.load([1]);
    expect(loads).toBe(2);
  });

  it('tells a failure to all who wait, and forgets it', async () => {
    let fails = true;
    const loader = loaderOf((keys) =>
      fails ? Promise.reject(new Error('away')) : Promise.resolve([...keys]),
    );
    const waiting = [loader.load([1]), loader.load([1])];
    for (const each of waiting) await expect(each).rejects.toThrow('away');
    fails = false;
    expect(await loader.load([1])).toEqual([1]);
  });
});
