import { Logger } from '@nestjs/common';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { Board, type BoardShape, type RankedState } from '../src/ranking/board';
import { HOT_BOARD } from '../src/ranking/board-definition';
import { SharedBoard } from '../src/ranking/shared-board';
import { byRank, type RankedRow } from '../src/ranking/ranked-row';
import { type ApplyResult, RankingCache, type TableTop } from '../src/ranking/ranking.cache';
import { eventually, isolatedStack } from './support';

const BOARD = 'under-test';
const SHAPE: BoardShape = { size: 3, capacity: 6, refillBelow: 4 };

function row(id: number, score: number, version: number): RankedRow {
  return {
    id,
    biz_id: id,
    biz: 'quote"d',
    read_cnt: 0,
    like_cnt: score,
    collect_cnt: 0,
    version,
    score,
  };
}

const sorted = (rows: Iterable<RankedRow>): RankedRow[] => [...rows].sort(byRank);
const idOf = (member: string): number => Number(member);

let redis: Redis;
let subscriber: Redis;
let cache: RankingCache;

beforeAll(async () => {
  Logger.overrideLogger(false);
  const { REDIS_URL } = await isolatedStack('ranking_lua');
  redis = new Redis(REDIS_URL);
  subscriber = new Redis(REDIS_URL);
  cache = new RankingCache(redis);
  await subscriber.subscribe(cache.channelOf(BOARD));
});

beforeEach(() => redis.flushdb());

afterAll(() => {
  redis.disconnect();
  subscriber.disconnect();
});

/** Opens the board for a load, also while another load is under way. @returns the epoch */
async function open(): Promise<string> {
  const { capacity } = SHAPE;
  return (await cache.open(BOARD, { capacity, leaseMs: 10_000, replaces: true }))!.epoch;
}

async function apply(
  epoch: string,
  states: RankedState[],
  offsets: { expected?: number; next: number } = { next: 1 },
): Promise<ApplyResult> {
  return cache.apply(BOARD, {
    epoch,
    partition: 0,
    expectedOffset: offsets.expected,
    nextOffset: offsets.next,
    states,
  });
}

const stateOf = (each: RankedRow): RankedState => ({
  id: each.id,
  row: each,
  basis: each.version,
});

/** Both structures of a board in Redis must have the same content. */
async function contentInRedis(): Promise<RankedRow[]> {
  const ordered = await redis.zrevrange(`ranking:{${BOARD}}:scores`, 0, -1, 'WITHSCORES');
  const rows = await redis.hgetall(`ranking:{${BOARD}}:rows`);
  const content = ordered
    .filter((_, index) => index % 2 === 0)
    .map((member) => JSON.parse(rows[member] ?? 'null') as RankedRow);
  expect(content.map(({ id, score }) => [id, score])).toEqual(
    content.map((_, index) => [idOf(ordered[2 * index]!), Number(ordered[2 * index + 1])]),
  );
  expect(Object.keys(rows)).toHaveLength(content.length);
  return content;
}

describe('the script that applies a batch', () => {
  it('returns `absent` when there is no board', async () => {
    expect(await apply('1', [])).toEqual({ outcome: 'absent' });
    expect(await redis.keys('*')).toEqual([]);
  });

  it('refuses a batch that was decided under another epoch', async () => {
    const epoch = await open();
    await open();
    expect(await apply(epoch, [stateOf(row(1, 1, 0))])).toEqual({ outcome: 'stale' });
    expect(await contentInRedis()).toEqual([]);
  });

  it('refuses a batch of a partition that another process has handled', async () => {
    const epoch = await open();
    await cache.load(BOARD, epoch, { rows: [], floor: null });
    await apply(epoch, [stateOf(row(1, 1, 0))], { next: 10 });
    await apply(epoch, [stateOf(row(1, 2, 0))], { expected: 10, next: 20 });
    const late = await apply(epoch, [stateOf(row(1, 3, 0))], { expected: 10, next: 15 });
    expect(late).toEqual({ outcome: 'stale' });
    expect(await contentInRedis()).toEqual([row(1, 2, 0)]);
    expect((await cache.snapshot(BOARD))?.nextOffsets).toEqual(new Map([[0, 20]]));
  });

  it('keeps the offset when a batch before it is applied again', async () => {
    const epoch = await open();
    await apply(epoch, [], { next: 20 });
    await apply(epoch, [stateOf(row(1, 3, 0))], { expected: 20, next: 15 });
    expect((await cache.snapshot(BOARD))?.nextOffsets).toEqual(new Map([[0, 20]]));
  });

  it('publishes and numbers only changes', async () => {
    const messages: string[] = [];
    const note = (_: string, message: string): unknown => messages.push(message);
    subscriber.on('message', note);
    const epoch = await open();
    await cache.load(BOARD, epoch, { rows: [row(1, 5, 3)], floor: null });
    const quiet = [
      await apply(epoch, [stateOf(row(1, 5, 3))], { next: 1 }),
      await apply(epoch, [stateOf(row(1, 9, 2))], { expected: 1, next: 2 }),
      await apply(epoch, [{ id: 2, row: null, basis: 9 }], { expected: 2, next: 3 }),
    ];
    const loud = await apply(epoch, [stateOf(row(1, 6, 3))], { expected: 3, next: 4 });
    expect(quiet).toEqual(Array(3).fill({ outcome: 'applied', message: '' }));
    await eventually(() => expect(messages).toHaveLength(3));
    subscriber.off('message', note);
    expect(loud).toEqual({ outcome: 'applied', message: messages[2] });
    expect(JSON.parse(messages[2]!)).toEqual({
      seq: Number(epoch) + 2,
      count: 1,
      floor: null,
      states: [{ id: 1, row: row(1, 6, 3) }],
    });
  });

  it('does what the board in memory does, batch for batch', async () => {
    const id = fc.integer({ min: 1, max: 15 });
    const state = fc.record({
      id,
      score: fc.option(fc.integer({ min: -3, max: 12 }), { nil: null, freq: 5 }),
      version: fc.nat(8),
    });
    const batch = fc.uniqueArray(state, { selector: (each) => each.id, maxLength: 8 });
    const reopen = fc.constant('reopen' as const);
    const step = fc.oneof({ weight: 10, arbitrary: batch }, { weight: 1, arbitrary: reopen });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
        await redis.flushdb();
        const board = new Board(SHAPE);
        const replica = new Board(SHAPE);
        let epoch = await open();
        await cache.load(BOARD, epoch, { rows: [], floor: null });
        let next = 0;
        for (const each of steps) {
          if (each === 'reopen') {
            epoch = await open();
            board.openUp();
            replica.openUp();
          } else {
            const states = each.map(({ id, score, version }) => ({
              id,
              row: score === null ? null : row(id, score, version),
              basis: version,
            }));
            board.apply(states);
            const expected = next || undefined;
            const result = await apply(epoch, states, { expected, next: ++next });
            if (result.outcome !== 'applied') throw new Error(result.outcome);
            // What is published is enough to reach the same board.
            const published =
              result.message === ''
                ? []
                : (JSON.parse(result.message) as { states: RankedState[] }).states;
            replica.apply(published.map((state) => ({ ...state, basis: Infinity })));
          }
          const snapshot = await cache.snapshot(BOARD);
          const all = { ...SHAPE, size: 1_000 };
          for (const copy of [board, replica]) {
            const content = new Board(all);
            content.restore(snapshot!.content);
            expect(copy.count).toBe(content.count);
            expect(content.top(1_000).map(({ id }) => copy.get(id))).toEqual(content.top(1_000));
            expect(copy.floor).toEqual(
              snapshot!.content.floor && expect.objectContaining(snapshot!.content.floor),
            );
          }
          expect(await contentInRedis()).toEqual(sorted(snapshot!.content.rows));
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('the script that ends a load', () => {
  it('keeps rows that changed while the board was open, and takes all others from the database', async () => {
    const first = await open();
    const before = [row(1, 10, 1), row(2, 20, 1), row(3, 30, 1), row(4, 40, 1)];
    await cache.load(BOARD, first, { rows: sorted(before), floor: null });
    const epoch = await open();
    await apply(epoch, [
      stateOf(row(1, 11, 2)),
      { id: 2, row: null, basis: 1 },
      stateOf(row(6, 60, 0)),
      stateOf(row(7, 1, 0)),
      stateOf(row(8, 8, 3)),
    ]);
    const read = sorted([row(1, 10, 1), row(2, 20, 1), row(4, 41, 1), row(5, 50, 0), row(8, 9, 4)]);
    const differing = await cache.load(BOARD, epoch, {
      rows: read,
      floor: { id: 9, score: 7 },
    });
    // 3 was not read, so it is removed; 4 differs, 5 is new, 8 is newer in the database.
    expect(differing).toBe(4);
    expect(await contentInRedis()).toEqual([
      row(6, 60, 0),
      row(5, 50, 0),
      row(4, 41, 1),
      row(1, 11, 2),
      row(8, 9, 4),
    ]);
    expect((await cache.snapshot(BOARD))?.content).toMatchObject({
      floor: { id: 9, score: 7 },
      open: false,
    });
  });

  it('keeps a row that was deleted and inserted again, whose versions started over', async () => {
    const first = await open();
    await cache.load(BOARD, first, { rows: [row(2, 20, 1), row(1, 10, 1)], floor: null });
    const epoch = await open();
    // The first in one batch, the second in two.
    await apply(epoch, [stateOf(row(1, 10, 1)), stateOf(row(2, 20, 1))]);
    await apply(epoch, [{ ...stateOf(row(1, 5, 0)), basis: 1 }], { expected: 1, next: 2 });
    await apply(epoch, [{ id: 2, row: null, basis: 1 }], { expected: 2, next: 3 });
    await apply(epoch, [stateOf(row(2, 6, 0))], { expected: 3, next: 4 });
    await apply(epoch, [stateOf(row(2, 7, 0))], { expected: 4, next: 5 });
    await cache.load(BOARD, epoch, { rows: [row(2, 20, 1), row(1, 10, 1)], floor: null });
    expect(await contentInRedis()).toEqual([row(2, 7, 0), row(1, 5, 0)]);
  });

  it('takes a row from the database when its states have lower versions than a deleted row had', async () => {
    const first = await open();
    await cache.load(BOARD, first, { rows: [row(2, 20, 900), row(1, 10, 900)], floor: null });
    // The table was emptied without captured changes. One of the two was inserted again, and changes.
    const epoch = await open();
    await apply(epoch, [stateOf(row(1, 3, 3))]);
    await cache.load(BOARD, epoch, { rows: [row(1, 3, 3)], floor: null });
    expect(await contentInRedis()).toEqual([row(1, 3, 3)]);
  });

  it('ends a load only once, also when the client calls it again', async () => {
    const epoch = await open();
    const read: TableTop = { rows: [row(1, 10, 0)], floor: null };
    expect(await cache.load(BOARD, epoch, read)).toBe(1);
    await apply(epoch, [stateOf(row(2, 5, 0)), { id: 1, row: null, basis: 0 }]);
    expect(await cache.load(BOARD, epoch, read)).toBeNull();
    expect(await contentInRedis()).toEqual([row(2, 5, 0)]);
  });

  it('refuses a load when another one has begun since', async () => {
    const first = await open();
    const second = await open();
    const late: TableTop = { rows: [row(1, 1, 0)], floor: null };
    expect(await cache.load(BOARD, first, late)).toBeNull();
    expect((await cache.snapshot(BOARD))?.content).toMatchObject({ rows: [], open: true });
    const newer: TableTop = { rows: [row(2, 2, 0)], floor: null };
    expect(await cache.load(BOARD, second, newer)).toBe(1);
  });
});

/** Delivers published changes to the boards. @returns a function that ends that */
function following(boards: () => readonly SharedBoard[]): () => void {
  const deliver = (_: string, message: string): void =>
    boards().forEach(({ replica }) => replica.receive(message));
  subscriber.on('message', deliver);
  return () => subscriber.off('message', deliver);
}

describe('boards of several processes', () => {
  const definition = { ...HOT_BOARD, name: BOARD };
  const LEASE_KEY = `ranking:{${BOARD}}:loading`;
  let table: RankedRow[];
  let reads: number;
  let reading: (() => Promise<void>) | null;
  let boards: SharedBoard[];
  let unfollow: () => void;

  const boot = (shape = SHAPE): SharedBoard => {
    const board = new SharedBoard(definition, shape, cache, {
      top: async (limit) => {
        reads++;
        await reading?.();
        const rows = sorted(table);
        return { rows: rows.slice(0, limit), floor: rows[limit] ?? null };
      },
      current: async (ids) =>
        ids.map((id) => ({ id, row: table.find((each) => each.id === id) ?? null, basis: 1e6 })),
    });
    boards.push(board);
    return board;
  };
  const isOpen = async (): Promise<boolean> => (await cache.snapshot(BOARD))?.content.open ?? true;
  const shown = ({ replica }: SharedBoard): number[] | undefined =>
    replica.shown?.top(100).map(({ id }) => id);

  beforeEach(() => {
    table = [row(1, 10, 0), row(2, 20, 0)];
    reads = 0;
    reading = null;
    boards = [];
    unfollow = following(() => boards);
  });

  afterEach(() => {
    unfollow();
    for (const { replica } of boards) replica.close();
  });

  it('leave a board to a load that takes longer than a lease', async () => {
    for (let i = 0; i < 4; i++) boot();
    let isRead = false;
    reading = async () => {
      // Until the first lease would long have expired.
      const begun = Date.now();
      const lease = await redis.pttl(LEASE_KEY);
      await eventually(() => expect(Date.now() - begun).toBeGreaterThan(lease + 500));
      isRead = true;
    };
    const watching = setInterval(
      () => boards.forEach((board) => void board.watch().catch(() => undefined)),
      100,
    );
    try {
      await eventually(async () => expect([isRead, await isOpen()]).toEqual([true, false]));
    } finally {
      clearInterval(watching);
    }
    expect(reads).toBe(1);
    await eventually(() => boards.forEach((board) => expect(shown(board)).toEqual([2, 1])));
  });

  it('take over from a process that has died while it was loading', async () => {
    const board = boot();
    await cache.open(BOARD, { capacity: 6, leaseMs: 300, replaces: false });
    await eventually(async () => {
      const lease = await redis.pttl(LEASE_KEY);
      await board.watch();
      if (lease > 100) expect(reads).toBe(0);
      expect(await isOpen()).toBe(false);
    });
    expect([reads, shown(board)]).toEqual([1, [2, 1]]);
  });

  it('load at once after a load has failed', async () => {
    const [first, second] = [boot(), boot()];
    reading = () => Promise.reject(new Error('away'));
    await expect(first.load('start')).rejects.toThrow('away');
    reading = null;
    await second.load('abandoned');
    expect(await isOpen()).toBe(false);
  });

  it('read again after a gap, also while another process reads', async () => {
    const [first, second] = [boot(), boot()];
    let finish: () => void = () => undefined;
    reading = () => new Promise((resolve) => (finish = resolve));
    const early = first.load('reconcile');
    await eventually(() => expect(reads).toBe(1));
    await second.load('reconcile');
    expect(reads).toBe(1);
    reading = null;
    await second.load('gap');
    expect(reads).toBe(2);
    table = [];
    finish();
    await early;
    await first.watch();
    await eventually(() => boards.forEach((board) => expect(shown(board)).toEqual([2, 1])));
  });

  it('show the former board until a board that Redis had lost is loaded', async () => {
    const [old, loader] = [boot(), boot()];
    await old.load('start');
    await loader.watch();
    await eventually(() => boards.forEach((board) => expect(shown(board)).toEqual([2, 1])));
    await redis.flushdb();
    let finish: () => void = () => undefined;
    reading = () => new Promise((resolve) => (finish = resolve));
    const load = loader.load('absent');
    await eventually(() => expect(reads).toBe(2));
    const young = boot();
    table.push(row(3, 30, 0));
    for (const board of [old, young]) await board.watch();
    await old.apply({ partition: 0, firstOffset: 0, nextOffset: 1, states: [stateOf(table[2]!)] });
    await eventually(() =>
      boards.forEach(({ replica }) => expect(replica.board.top(9)).toEqual([table[2]])),
    );
    expect(boards.map(shown)).toEqual([[2, 1], [2, 1], undefined]);
    finish();
    await load;
    await eventually(() => boards.forEach((board) => expect(shown(board)).toEqual([3, 2, 1])));
  });

  it('agree on how many rows to keep, though they show different numbers of them', async () => {
    const [small, big] = [boot({ size: 1, capacity: 2, refillBelow: 1 }), boot()];
    table = Array.from({ length: 20 }, (_, i) => row(i + 1, 100 + i, 0));
    await small.load('start');
    await big.watch();
    expect(shown(big)).toEqual([20, 19, 18]);
    const { replica } = small;
    await eventually(() => expect(replica.seq).toBe(big.replica.seq));
    const [loads, snapshots] = [reads, jest.spyOn(cache, 'snapshot')];
    for (let offset = 0; offset < 50; offset++) {
      const board = offset % 2 === 0 ? small : big;
      const state = stateOf(row(1 + (offset % 20), 200 + offset, offset));
      table[state.id - 1] = state.row!;
      const partition = offset % 2;
      await board.apply({
        partition,
        firstOffset: offset,
        nextOffset: offset + 1,
        states: [state],
      });
    }
    await small.load('reconcile');
    await eventually(() =>
      expect(shown(big)).toEqual(
        sorted(table)
          .slice(0, 3)
          .map(({ id }) => id),
      ),
    );
    expect(shown(small)).toEqual([sorted(table)[0]!.id]);
    expect(reads).toBe(loads + 1);
    // Each process reads it after the load, and for its first batch of a partition.
    expect(snapshots.mock.calls.length).toBeLessThan(8);
    snapshots.mockRestore();
  });

  it('take turns at a job that one process at a time does', async () => {
    const turns = await Promise.all(boards.concat(boot(), boot(), boot()).map(take));
    expect(turns.filter(Boolean)).toHaveLength(1);
    await eventually(async () => expect(await take()).toBe(true));
    function take(): Promise<boolean> {
      return cache.takeTurn(BOARD, 'reconcile', 200);
    }
  });
});

/**
 * A table, its change log of two partitions, and two processes that share them. After any
 * interleaving of writes, batches, handovers, crashes, replays, re-sent changes, late batches, lost
 * messages, loads, failed loads and losses of Redis, also of two processes at once, the board must be
 * the sorted table.
 */
describe('a board, after anything in any order', () => {
  interface Change {
    before: RankedRow | null;
    after: RankedRow | null;
  }

  /** A partition of the change log, and how far its consumers have read. */
  class Partition {
    readonly log: Change[] = [];
    /** The group's committed offset. */
    committed = 0;
    /** The committed offset when Redis was lost, with the offsets that its board had. */
    forgotten = 0;

    constructor(readonly number: number) {}
  }

  /** Processes may show different numbers of rows. */
  const SHAPES: readonly BoardShape[] = [SHAPE, { size: 1, capacity: 2, refillBelow: 1 }];

  const UNREACHABLE = new Error('the database is unreachable');

  class World {
    readonly table = new Map<number, RankedRow>();
    readonly partitions = [new Partition(0), new Partition(1)];
    readonly processes: SharedBoard[] = SHAPES.map((_, index) => this.boot(index));
    /** The processes whose subscription is interrupted. */
    readonly deaf = new Set<number>();
    /** What the next load runs before and after its read of the table. */
    meanwhile: (() => Promise<void>)[] = [];

    boot(process: number): SharedBoard {
      return new SharedBoard({ ...HOT_BOARD, name: BOARD }, SHAPES[process]!, cache, {
        top: async (limit) => {
          const [during, after] = this.meanwhile.splice(0);
          await during?.();
          const rows = sorted(this.table.values());
          await after?.();
          return { rows: rows.slice(0, limit), floor: rows[limit] ?? null };
        },
        current: async (ids) =>
          ids.map((id) => ({ id, row: this.table.get(id) ?? null, basis: 1_000_000 })),
      });
    }

    write(id: number, score: number | null, isOurs: boolean): void {
      const before = this.table.get(id) ?? null;
      const version = before === null ? 0 : before.version + (isOurs ? 1 : 0);
      const after = score === null ? null : row(id, score, version);
      if (after === null) this.table.delete(id);
      else this.table.set(id, after);
      if (before !== null || after !== null) this.partitions[id % 2]!.log.push({ before, after });
    }

    async consume(process: number, number: number, count: number): Promise<void> {
      const partition = this.partitions[number]!;
      const handled = await this.handle(process, partition, partition.committed, count);
      partition.committed = Math.max(partition.committed, handled);
    }

    /** A process that lost the partition long ago still handles messages that it fetched before. */
    async handleLate(process: number, number: number, back: number): Promise<void> {
      const partition = this.partitions[number]!;
      const { forgotten, committed } = partition;
      const first = Math.max(forgotten, committed - back);
      await this.handle(process, partition, first, Math.min(3, committed - first));
    }

    /** @returns the offset after the handled messages */
    private async handle(
      process: number,
      { number, log }: Partition,
      first: number,
      count: number,
    ): Promise<number> {
      const changes = log.slice(first, first + count);
      const next = first + changes.length;
      if (changes.length > 0)
        await this.processes[process]!.apply({
          partition: number,
          firstOffset: first,
          nextOffset: next,
          states: fold(changes),
        });
      return next;
    }
  }

  function fold(changes: Change[]): RankedState[] {
    const states = new Map<number, RankedState>();
    for (const { before, after } of changes) {
      const id = (after ?? before)!.id;
      const versions = [before?.version ?? 0, after?.version ?? 0, states.get(id)?.basis ?? 0];
      states.set(id, { id, row: after, basis: Math.max(...versions) });
    }
    return [...states.values()];
  }

  const id = fc.integer({ min: 1, max: 14 });
  const process = fc.nat(1);
  const partition = fc.nat(1);
  const reason = fc.constantFrom('reconcile' as const, 'gap' as const);
  const writes = fc.array(
    fc.record({
      id,
      score: fc.option(fc.nat(12), { nil: null, freq: 4 }),
      isOurs: fc.boolean(),
    }),
    { maxLength: 6 },
  );
  const consume = fc.record({
    kind: fc.constant('consume' as const),
    process,
    partition,
    count: fc.integer({ min: 1, max: 6 }),
  });
  const late = fc.record({
    kind: fc.constant('late' as const),
    process,
    partition,
    back: fc.nat(6),
  });
  const load = fc.record({
    kind: fc.constant('load' as const),
    process,
    reason,
    partition,
    during: writes,
    after: writes,
    count: fc.nat(5),
    fails: fc.nat(4).map((roll) => roll === 0),
  });
  const watch = fc.record({ kind: fc.constant('watch' as const), process });
  const write = fc.record({ kind: fc.constant('write' as const), writes });
  const action = fc.oneof(
    { weight: 6, arbitrary: consume },
    { weight: 2, arbitrary: load },
    { weight: 1, arbitrary: late },
    { weight: 1, arbitrary: watch },
  );
  const step = fc.oneof(
    { weight: 6, arbitrary: write },
    { weight: 10, arbitrary: action },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('together' as const),
        actions: fc.tuple(action, fc.oneof(write, action)),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('crash' as const), process }) },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constantFrom('replay' as const, 'resend' as const),
        partition,
        back: fc.nat(8),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('deafen' as const), process }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('flush' as const) }) },
  );

  type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

  it('is the sorted table in the end', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        await redis.flushdb();
        const world = new World();
        const unfollow = following(() =>
          world.processes.filter((_, index) => !world.deaf.has(index)),
        );
        try {
          for (const each of steps) await run(world, each);
          for (const { number, log } of world.partitions)
            while (world.partitions[number]!.committed < log.length)
              await world.consume(0, number, 4);
          const expected = sorted(world.table.values());
          // The first check finds a lost board, the second one missed changes.
          for (const process of world.processes) {
            await process.watch();
            await process.watch();
          }
          await eventually(async () => {
            const content = await contentInRedis();
            expect(content.slice(0, SHAPE.size)).toEqual(expected.slice(0, SHAPE.size));
            expect(content).toEqual(expected.slice(0, content.length));
            for (const [index, process] of world.processes.entries())
              expect(process.replica.shown?.top(100)).toEqual(
                expected.slice(0, SHAPES[index]!.size),
              );
          });
        } finally {
          unfollow();
          for (const { replica } of world.processes) replica.close();
        }
      }),
      // A failure shows only after a wait: shrinking would repeat it until the test times out.
      { numRuns: 1000, endOnFailure: true },
    );
  });

  async function run(world: World, each: Step): Promise<void> {
    switch (each.kind) {
      case 'write':
        for (const { id, score, isOurs } of each.writes) world.write(id, score, isOurs);
        return;
      case 'consume':
        return world.consume(each.process, each.partition, each.count);
      case 'load': {
        const other = 1 - each.process;
        const stage = (list: typeof each.during) => async (): Promise<void> => {
          for (const { id, score, isOurs } of list) world.write(id, score, isOurs);
          await world.consume(other, each.partition, each.count);
        };
        const failing = (): Promise<void> => Promise.reject(UNREACHABLE);
        world.meanwhile = [stage(each.during), each.fails ? failing : stage(each.after)];
        // As in the scheduler, the next check tries again after a failure.
        await world.processes[each.process]!.load(each.reason).catch(() => undefined);
        world.meanwhile = [];
        return;
      }
      case 'watch':
        return world.processes[each.process]!.watch();
      case 'together': {
        const [first, second] = each.actions;
        // A failed load fails both processes that share it; each tries again later.
        const ran = await Promise.allSettled([run(world, first), run(world, second)]);
        for (const each of ran)
          if (each.status === 'rejected' && each.reason !== UNREACHABLE) throw each.reason;
        return;
      }
      case 'crash':
        world.processes[each.process]!.replica.close();
        world.processes[each.process] = world.boot(each.process);
        return;
      case 'replay': {
        const partition = world.partitions[each.partition]!;
        partition.committed = Math.max(0, partition.committed - each.back);
        return;
      }
      case 'resend': {
        const { log } = world.partitions[each.partition]!;
        log.push(...log.slice(Math.max(0, log.length - each.back)));
        return;
      }
      case 'late':
        return world.handleLate(each.process, each.partition, each.back);
      case 'deafen':
        if (!world.deaf.delete(each.process)) world.deaf.add(each.process);
        return;
      case 'flush':
        for (const partition of world.partitions) partition.forgotten = partition.committed;
        await redis.flushdb();
        return;
    }
  }
});
