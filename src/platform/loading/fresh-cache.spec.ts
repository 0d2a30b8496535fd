import { FreshCache } from './fresh-cache';

describe('FreshCache', () => {
  let now = 0;
  const cacheOf = () => new FreshCache<string, number>({ ttlMs: 1000, max: 10 }, () => now);

  /** A load that ends when the test says so. */
  function controlled() {
    let finish = (_value: number): void => undefined;
    const promise = new Promise<number>((resolve) => (finish = resolve));
    return { load: jest.fn(() => promise), finish };
  }

  beforeEach(() => (now = 0));

  it('serves a value for its TTL, counted from the start of its load', async () => {
    const cache = cacheOf();
    const slow = controlled();
    const first = cache.get('a', slow.load);
    now = 900;
    slow.finish(1);
    await first;
    expect(cache.peek('a')).toBe(1);
    now = 1000;
    expect(cache.peek('a')).toBeUndefined();
    expect(await cache.get('a', () => Promise.resolve(2))).toBe(2);
  });

  it('shares one load among all who ask meanwhile', async () => {
    const cache = cacheOf();
    const slow = controlled();
    const both = Promise.all([cache.get('a', slow.load), cache.get('a', slow.load)]);
    slow.finish(5);
    expect(await both).toEqual([5, 5]);
    expect(slow.load).toHaveBeenCalledTimes(1);
  });

  it('neither keeps nor shares a load that began before a change', async () => {
    const cache = cacheOf();
    const old = controlled();
    const before = cache.get('a', old.load);
    cache.forget('a');
    const after = cache.get('a', () => Promise.resolve(2));
    old.finish(1);
    expect(await before).toBe(1);
    expect(await after).toBe(2);
    expect(cache.peek('a')).toBe(2);
  });

  it('loads only what is missing of many, and keeps none of it across a change', async () => {
    const cache = cacheOf();
    await cache.get('a', () => Promise.resolve(1));
    const loadMissing = jest.fn((missing: string[]) => {
      cache.forget('c');
      return Promise.resolve(new Map(missing.map((key) => [key, 7])));
    });
    const found = await cache.getMany(['a', 'b', 'c'], loadMissing);
    expect(Object.fromEntries(found)).toEqual({ a: 1, b: 7, c: 7 });
    expect(loadMissing).toHaveBeenCalledWith(['b', 'c']);
    expect(cache.peek('b')).toBeUndefined();
  });

  it('shares the load of a key among all who ask for it, with others or alone', async () => {
    const cache = cacheOf();
    const loadMissing = jest.fn((missing: string[]) =>
      Promise.resolve(new Map(missing.map((key) => [key, 7]))),
    );
    const answers = await Promise.all([
      cache.getMany(['a', 'b'], loadMissing),
      cache.getMany(['b', 'c', 'c'], loadMissing),
      cache.get('a', () => Promise.reject(new Error('loaded again'))),
      cache.getMany(['a'], loadMissing),
    ]);
    expect(loadMissing.mock.calls).toEqual([[['a', 'b']], [['c']]]);
    expect(Object.fromEntries(answers[1] as Map<string, number>)).toEqual({ b: 7, c: 7 });
  });

  it('fails all who share a load, and loads again after it', async () => {
    const cache = cacheOf();
    const fail = (): Promise<Map<string, number>> => Promise.reject(new Error('away'));
    const outcomes = await Promise.allSettled([
      cache.getMany(['a', 'b'], fail),
      cache.getMany(['a'], fail),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    const found = await cache.getMany(['a', 'b'], (missing) =>
      Promise.resolve(new Map(missing.map((key) => [key, 1]))),
    );
    expect(Object.fromEntries(found)).toEqual({ a: 1, b: 1 });
  });

  it('keeps that there is nothing', async () => {
    const cache = new FreshCache<string, number | null>({ ttlMs: 1000, max: 10 }, () => now);
    await cache.get('a', () => Promise.resolve(null));
    expect(await cache.get('a', () => Promise.reject(new Error('asked again')))).toBeNull();
  });

  it('does not remember an error', async () => {
    const cache = cacheOf();
    await expect(cache.get('a', () => Promise.reject(new Error('away')))).rejects.toThrow('away');
    expect(await cache.get('a', () => Promise.resolve(3))).toBe(3);
  });
});
