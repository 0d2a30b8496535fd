import { Standstill } from './standstill';

describe('Standstill', () => {
  const observe = (standstill: Standstill, from: number, to: number, lagMs: number) => {
    const changes: [number, string][] = [];
    for (let now = from; now <= to; now += 1_000) {
      const change = standstill.observe(lagMs, now);
      if (change) changes.push([now, change]);
    }
    return changes;
  };

  it('begins after five seconds behind by more than five, and ends at once', () => {
    const standstill = new Standstill();
    expect(observe(standstill, 0, 10_000, 5_000)).toEqual([]);
    expect(observe(standstill, 11_000, 30_000, 5_001)).toEqual([[16_000, 'begins']]);
    expect(standstill.stands).toBe(true);
    expect(observe(standstill, 31_000, 33_000, 100)).toEqual([[31_000, 'ends']]);
    expect(standstill.stands).toBe(false);
  });

  it('does not begin while a group catches up within seconds', () => {
    const standstill = new Standstill();
    observe(standstill, 0, 4_000, 3_600_000);
    observe(standstill, 5_000, 5_000, 200);
    expect(observe(standstill, 6_000, 10_000, 3_600_000)).toEqual([]);
  });

  it('counts no time in which nothing could be observed, and goes on standing', () => {
    const standstill = new Standstill();
    observe(standstill, 0, 3_000, 6_000);
    standstill.skip();
    expect(observe(standstill, 60_000, 64_000, 60_000)).toEqual([]);
    expect(observe(standstill, 65_000, 65_000, 60_000)).toEqual([[65_000, 'begins']]);
    standstill.skip();
    expect(standstill.stands).toBe(true);
    expect(observe(standstill, 90_000, 99_000, 60_000)).toEqual([]);
    expect(standstill.stands).toBe(true);
  });
});
