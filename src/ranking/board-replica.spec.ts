import { BoardReplica } from './board-replica';
import type { RankedRow } from './ranked-row';
import type { BoardSnapshot } from './ranking.cache';

const SHAPE = { size: 2, capacity: 3, refillBelow: 2 };

function row(id: number, score: number): RankedRow {
  return {
    id,
    biz_id: id,
    biz: 'et',
    read_cnt: 0,
    like_cnt: score,
    collect_cnt: 0,
    version: 0,
    score,
  };
}

function snapshot(seq: number, ...rows: RankedRow[]): BoardSnapshot {
  const content = { rows, floor: null, open: false, capacity: 3 };
  return { epoch: `e${seq}`, seq, loaded: true, content, nextOffsets: new Map() };
}

function change(seq: number, count: number, ...rows: RankedRow[]): string {
  const states = rows.map((each) => ({ id: each.id, row: each }));
  return JSON.stringify({ seq, count, floor: null, states });
}

/** A replica of a Redis whose answers the test gives. */
function replicaOf(...answers: (BoardSnapshot | null | Error)[]): {
  replica: BoardReplica;
  reads: () => number;
  ids: () => number[];
} {
  let reads = 0;
  const replica = new BoardReplica(
    SHAPE,
    async () => {
      const answer = answers[Math.min(reads++, answers.length - 1)];
      if (answer instanceof Error) throw answer;
      return answer ?? null;
    },
    () => undefined,
  );
  return { replica, reads: () => reads, ids: () => replica.board.top(10).map(({ id }) => id) };
}

describe('BoardReplica', () => {
  it('applies the changes after what it read, in any order and also when they are repeated', async () => {
    const { replica, ids, reads } = replicaOf(snapshot(5, row(1, 10)));
    // These were published between subscribing and reading.
    replica.receive(change(5, 1, row(1, 99)));
    replica.receive(change(6, 2, row(2, 20)));
    await replica.resync();
    expect(ids()).toEqual([2, 1]);
    replica.receive(change(8, 2, row(1, 40)));
    expect(ids()).toEqual([2, 1]);
    replica.receive(change(7, 2, row(1, 30)));
    replica.receive(change(7, 2, row(1, 30)));
    expect([ids(), replica.seq, reads()]).toEqual([[1, 2], 8, 1]);
    expect(replica.board.get(1)?.score).toBe(40);
    replica.close();
  });

  it('reads the board when a change is missing', async () => {
    const { replica, ids, reads } = replicaOf(
      snapshot(5, row(1, 10)),
      snapshot(9, row(1, 10), row(2, 20), row(3, 30)),
    );
    await replica.resync();
    replica.receive(change(9, 2, row(3, 30)));
    await replica.reach(9);
    expect([ids(), reads()]).toEqual([[3, 2], 2]);
    replica.close();
  });

  it('reads the board when its own result differs from that of Redis', async () => {
    const { replica, ids, reads } = replicaOf(snapshot(5, row(1, 10)), snapshot(6, row(7, 70)));
    await replica.resync();
    replica.receive(change(6, 9, row(2, 20)));
    await replica.reach(6);
    expect([ids(), reads()]).toEqual([[7], 2]);
    replica.close();
  });

  it('reads the board after a load, and again if it was read too early', async () => {
    const { replica, ids, reads } = replicaOf(
      snapshot(5, row(1, 10)),
      snapshot(5, row(1, 10)),
      snapshot(6, row(2, 20)),
    );
    await replica.resync();
    replica.receive(JSON.stringify({ seq: 6, reload: true }));
    await replica.reach(6);
    expect([ids(), reads(), replica.epoch]).toEqual([[2], 3, 'e6']);
    replica.close();
  });

  it('accepts every row from when the board is opened', async () => {
    const { replica } = replicaOf({
      ...snapshot(5, row(1, 10), row(2, 20)),
      content: { rows: [row(1, 10)], floor: { id: 9, score: 9 }, open: false, capacity: 3 },
    });
    await replica.resync();
    expect(replica.board.matters({ id: 3, row: row(3, 1) })).toBe(false);
    replica.receive(JSON.stringify({ seq: 6, epoch: 'next' }));
    expect(replica.epoch).toBe('next');
    expect(replica.board.matters({ id: 3, row: row(3, 1) })).toBe(true);
    replica.close();
  });

  it('keeps what it has when Redis has no board, and rejects waiting calls when it cannot be read', async () => {
    const { replica, ids } = replicaOf(snapshot(5, row(1, 10)), null, new Error('away'));
    await replica.resync();
    await expect(replica.resync()).resolves.toBeNull();
    expect([ids(), replica.epoch]).toEqual([[1], 'e5']);
    const reached = replica.reach(9);
    await expect(replica.resync()).rejects.toThrow('away');
    await expect(reached).rejects.toThrow('away');
    expect(ids()).toEqual([1]);
    replica.close();
  });

  it('shows nothing before the first load of a board, and the former board while a new one is loaded', async () => {
    const unloaded = { ...snapshot(5, row(1, 10)), loaded: false };
    const recreated = { ...snapshot(20, row(8, 80)), loaded: false };
    const { replica, ids } = replicaOf(unloaded, snapshot(7, row(2, 20)), recreated, snapshot(22));
    const shown = (): number[] | undefined => replica.shown?.top(10).map(({ id }) => id);
    await replica.resync();
    replica.receive(change(6, 2, row(3, 30)));
    expect([ids(), shown()]).toEqual([[3, 1], undefined]);
    await replica.resync();
    expect([ids(), shown()]).toEqual([[2], [2]]);
    await replica.resync();
    replica.receive(change(21, 2, row(9, 90)));
    expect([ids(), shown()]).toEqual([[9, 8], [2]]);
    await replica.resync();
    expect([ids(), shown()]).toEqual([[], []]);
    replica.close();
  });

  it('keeps as many rows as Redis does, also more than its own shape says', async () => {
    const { replica, ids, reads } = replicaOf({
      ...snapshot(5, row(1, 10), row(2, 20), row(3, 30)),
      content: { ...snapshot(5, row(1, 10), row(2, 20), row(3, 30)).content, capacity: 5 },
    });
    await replica.resync();
    replica.receive(change(6, 4, row(4, 5)));
    expect([ids(), replica.board.count, replica.seq, reads()]).toEqual([[3, 2], 4, 6, 1]);
    replica.close();
  });

  it('calls back after changes only, until that is ended', async () => {
    const { replica } = replicaOf(snapshot(5, row(1, 10)));
    let calls = 0;
    const stop = replica.onChange(() => calls++);
    await replica.resync();
    replica.receive(change(6, 1, row(1, 11)));
    replica.receive(change(6, 1, row(1, 11)));
    expect(calls).toBe(2);
    stop();
    replica.receive(change(7, 1, row(1, 12)));
    expect(calls).toBe(2);
    replica.close();
  });
});
