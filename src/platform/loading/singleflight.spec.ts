import { Singleflight } from './singleflight';

describe('Singleflight', () => {
  it('joins callers of one key into one load', async () => {
    const flights = new Singleflight<number>();
    let loads = 0;
    let finish = (_value: number): void => undefined;
    const load = () => {
      loads++;
      return new Promise<number>((resolve) => (finish = resolve));
    };
    const first = flights.run('a', load);
    const second = flights.run('a', load);
    finish(7);
    expect(await Promise.all([first, second])).toEqual([7, 7]);
    expect(loads).toBe(1);
  });

  it('keeps keys apart and loads again once a load has settled', async () => {
    const flights = new Singleflight<string>();
    const load = jest.fn((key: string) => Promise.resolve(key));
    expect(await flights.run('a', () => load('a'))).toBe('a');
    expect(await flights.run('b', () => load('b'))).toBe('b');
    expect(await flights.run('a', () => load('again'))).toBe('again');
    expect(load).toHaveBeenCalledTimes(3);
  });

  it('gives an error to every caller and forgets it', async () => {
    const flights = new Singleflight<number>();
    const failing = () => {
      throw new Error('away');
    };
    const outcomes = await Promise.allSettled([
      flights.run('a', failing),
      flights.run('a', failing),
    ]);
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['rejected', 'rejected']);
    await expect(flights.run('a', () => Promise.resolve(1))).resolves.toBe(1);
  });
});
