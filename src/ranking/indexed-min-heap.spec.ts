import fc from 'fast-check';
import { IndexedMinHeap } from './indexed-min-heap';
import { byRank, type Place } from './ranked-row';

describe('IndexedMinHeap', () => {
  it('has the lowest row at its root, of equal scores the lower id', () => {
    const heap = new IndexedMinHeap<Place>();
    expect(heap.root).toBeUndefined();
    heap.set({ id: 2, score: 5 });
    heap.set({ id: 1, score: 5 });
    heap.set({ id: 3, score: 4 });
    expect(heap.root).toEqual({ id: 3, score: 4 });
    heap.set({ id: 3, score: 6 });
    expect(heap.pop()).toEqual({ id: 1, score: 5 });
    expect(heap.delete(1)).toBe(false);
  });

  it('agrees with a sorted array under any insertions, updates and deletions', () => {
    const step = fc.record({
      kind: fc.constantFrom('set', 'set', 'delete', 'pop'),
      id: fc.integer({ min: 1, max: 40 }),
      score: fc.integer({ min: -5, max: 20 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const heap = new IndexedMinHeap<Place>();
        const model = new Map<number, Place>();
        for (const { kind, id, score } of steps) {
          const lowest = [...model.values()].sort(byRank).at(-1);
          expect(heap.root).toEqual(lowest);
          if (kind === 'set') {
            heap.set({ id, score });
            model.set(id, { id, score });
          } else if (kind === 'delete') expect(heap.delete(id)).toBe(model.delete(id));
          else {
            expect(heap.pop()).toEqual(lowest);
            if (lowest !== undefined) model.delete(lowest.id);
          }
          expect(heap.size).toBe(model.size);
          expect(heap.get(id)).toEqual(model.get(id));
          expect([...heap.values()].sort(byRank)).toEqual([...model.values()].sort(byRank));
        }
      }),
    );
  });
});
