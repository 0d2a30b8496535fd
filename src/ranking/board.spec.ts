import fc from 'fast-check';
import { Board, boardShape, type RankedState } from './board';
import { byRank, type RankedRow } from './ranked-row';

const SHAPE = { size: 3, capacity: 6, refillBelow: 4 };

function row(id: number, score: number, version = 0): RankedRow {
  return {
    id,
    biz_id: id,
    biz: 'et',
    read_cnt: 0,
    like_cnt: score,
    collect_cnt: 0,
    version,
    score,
  };
}

function states(...rows: RankedRow[]): RankedState[] {
  return rows.map((each) => ({ id: each.id, row: each, basis: each.version }));
}

const ids = (board: Board, limit = 100): number[] => board.top(limit).map(({ id }) => id);

describe('Board', () => {
  it('orders by score, and of equal scores the higher id first', () => {
    const board = new Board(SHAPE);
    board.apply(states(row(1, 5), row(3, 5), row(2, 9)));
    expect(ids(board)).toEqual([2, 3, 1]);
    expect([1, 2, 3, 4].map((id) => board.rankOf(id))).toEqual([3, 1, 2, null]);
  });

  it('evicts the lowest rows beyond its capacity, and the best of them is the floor', () => {
    const board = new Board({ size: 2, capacity: 2, refillBelow: 2 });
    board.apply(states(row(1, 1), row(2, 2), row(3, 3), row(4, 4)));
    expect(ids(board)).toEqual([4, 3]);
    expect(board.floor).toMatchObject({ id: 2, score: 2 });
    expect(board.matters({ id: 9, row: row(9, 2) })).toBe(true);
    expect(board.matters({ id: 1, row: row(1, 2) })).toBe(false);
    expect(board.matters({ id: 9, row: null })).toBe(false);
  });

  it('shows no more rows than its size and keeps a reserve below them', () => {
    const board = new Board(SHAPE);
    board.apply(states(row(1, 1), row(2, 2), row(3, 3), row(4, 4)));
    expect(ids(board)).toEqual([4, 3, 2]);
    expect(board.rankOf(1)).toBeNull();
    board.apply([{ id: 4, row: null, basis: 0 }]);
    expect(ids(board)).toEqual([3, 2, 1]);
  });

  it('ignores a state older than the row it has, and applies one of an equal version', () => {
    const board = new Board(SHAPE);
    board.apply(states(row(1, 10, 5)));
    board.apply(states(row(1, 99, 4)));
    expect(board.get(1)?.score).toBe(10);
    board.apply(states(row(1, 7, 5)));
    expect(board.get(1)?.score).toBe(7);
    board.apply([{ id: 1, row: null, basis: 4 }]);
    expect(board.get(1)).toBeDefined();
    board.apply([{ id: 1, row: null, basis: 5 }]);
    expect(board.get(1)).toBeUndefined();
  });

  it('removes a row that falls to the floor, and lacks rows when too few remain', () => {
    const board = new Board(SHAPE);
    board.apply(states(...[1, 2, 3, 4, 5, 6, 7].map((id) => row(id, id))));
    expect(board.floor).toMatchObject({ id: 1 });
    expect(board.lacking).toBe(false);
    board.apply(states(row(7, 0), row(6, 1), row(5, 0)));
    expect(ids(board)).toEqual([4, 3, 2]);
    expect(board.count).toBe(4);
    board.apply(states(row(6, 0)));
    expect(board.lacking).toBe(true);
  });

  it('accepts everything while it is open', () => {
    const board = new Board({ size: 1, capacity: 1, refillBelow: 1 });
    board.apply(states(row(1, 10), row(2, 20)));
    board.openUp();
    board.apply(states(row(3, 1), row(4, 2)));
    expect(board.count).toBe(3);
    expect(board.lacking).toBe(false);
    board.restore({ rows: [row(2, 20)], floor: { id: 1, score: 10 }, open: false, capacity: 1 });
    expect(board.matters({ id: 3, row: row(3, 1) })).toBe(false);
  });

  it('keeps a reserve, and refills before the shown rows run short', () => {
    expect(boardShape(10)).toEqual({ size: 10, capacity: 60, refillBelow: 23 });
    expect(boardShape(1000)).toEqual({ size: 1000, capacity: 1500, refillBelow: 1125 });
  });

  // The table is a plain map; after every batch the board must show its best rows.
  it('shows the same as the whole table sorted, after any changes of it', () => {
    const id = fc.integer({ min: 1, max: 25 });
    const change = fc.oneof(
      { weight: 6, arbitrary: fc.record({ kind: fc.constant('put'), id, score: fc.nat(12) }) },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('decrement'), id, score: fc.nat(6) }) },
      {
        weight: 2,
        arbitrary: fc.record({ kind: fc.constant('delete'), id, score: fc.constant(0) }),
      },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('replay'), id, score: fc.nat(12) }) },
    );
    const batches = fc.array(
      fc.uniqueArray(change, { selector: (each) => each.id, maxLength: 6 }),
      {
        maxLength: 60,
      },
    );
    fc.assert(
      fc.property(batches, (all) => {
        const table = new Map<number, RankedRow>();
        let version = 0;
        const board = new Board(SHAPE);
        for (const batch of all) {
          board.apply(
            batch.flatMap(({ kind, id, score }) => {
              const present = table.get(id);
              if (kind === 'replay') {
                // A board knows the versions only of its own rows: the log replays no other row here.
                if (board.get(id) === undefined) return [];
                return [{ id, row: row(id, score), basis: (board.get(id)?.version ?? 0) - 1 }];
              }
              version++;
              if (kind === 'delete') {
                table.delete(id);
                return [{ id, row: null, basis: version }];
              }
              const next = kind === 'put' ? score : Math.max(0, (present?.score ?? 0) - score);
              table.set(id, row(id, next, version));
              return states(row(id, next, version));
            }),
          );
          const sorted = [...table.values()].sort(byRank);
          if (board.lacking) {
            board.openUp();
            board.restore({
              rows: sorted.slice(0, SHAPE.capacity),
              floor: sorted[SHAPE.capacity] ?? null,
              open: false,
              capacity: SHAPE.capacity,
            });
          }
          expect(board.top(100)).toEqual(sorted.slice(0, SHAPE.size));
          const { floor } = board;
          const above = sorted.filter((each) => floor === null || byRank(each, floor) < 0);
          expect(above.map((each) => board.get(each.id))).toEqual(above);
          expect(board.count).toBe(above.length);
          expect(board.count).toBeLessThanOrEqual(SHAPE.capacity);
          for (const [index, { id }] of sorted.slice(0, SHAPE.size).entries())
            expect(board.rankOf(id)).toBe(index + 1);
        }
      }),
      { numRuns: 500 },
    );
  });
});
