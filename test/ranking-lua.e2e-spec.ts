import { Logger } from '@nestjs/common';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { Board, type BoardShape, type RankedState } from '../src/ranking/board';
import { HOT_BOARD } from '../src/ranking/board-definition';
import { LiveBoard } from '../src/ranking/live-board';
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
    capacity: SHAPE.capacity,
    states,
  });
}

const stateOf = (each: RankedRow): RankedState => ({
  id: each.id,
  row: each,
  basis: each.version,
});

/** The two structures that make a board in Redis must tell the same. */
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
  it('says so when there is no board', async () => {
    expect(await apply('1', [])).toEqual({ outcome: 'absent' });
    expect(await redis.keys('*')).toEqual([]);
  });

  it('refuses what was decided under another epoch', async () => {
    const epoch = await cache.open(BOARD);
    await cache.open(BOARD);
    expect(await apply(epoch, [stateOf(row(1, 1, 0))])).toEqual({ outcome: 'stale' });
    expect(await contentInRedis()).toEqual([]);
  });

  it('refuses a batch of a partition that another process has handled', async () => {
    const epoch = await cache.open(BOARD);
    await cache.load(BOARD, epoch, SHAPE.capacity, { rows: [], floor: null });
    await apply(epoch, [stateOf(row(1, 1, 0))], { next: 10 });
    await apply(epoch, [stateOf(row(1, 2, 0))], { expected: 10, next: 20 });
    const late = await apply(epoch, [stateOf(row(1, 3, 0))], { expected: 10, next: 15 });
    expect(late).toEqual({ outcome: 'stale' });
    expect(await contentInRedis()).toEqual([row(1, 2, 0)]);
    expect((await cache.snapshot(BOARD))?.nextOffsets).toEqual(new Map([[0, 20]]));
  });

  it('keeps the offset when what is behind it is applied again', async () => {
    const epoch = await cache.open(BOARD);
    await apply(epoch, [], { next: 20 });
    await apply(epoch, [stateOf(row(1, 3, 0))], { expected: 20, next: 15 });
    expect((await cache.snapshot(BOARD))?.nextOffsets).toEqual(new Map([[0, 20]]));
  });

  it('publishes and numbers only what changes something', async () => {
    const messages: string[] = [];
    const note = (_: string, message: string): unknown => messages.push(message);
    subscriber.on('message', note);
    const epoch = await cache.open(BOARD);
    await cache.load(BOARD, epoch, SHAPE.capacity, { rows: [row(1, 5, 3)], floor: null });
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
        let epoch = await cache.open(BOARD);
        await cache.load(BOARD, epoch, SHAPE.capacity, { rows: [], floor: null });
        let next = 0;
        for (const each of steps) {
          if (each === 'reopen') {
            epoch = await cache.open(BOARD);
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
            // What is published is enough to come to the same board.
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
  it('keeps what changed while the board was open, and takes the database for the rest', async () => {
    const first = await cache.open(BOARD);
    const before = [row(1, 10, 1), row(2, 20, 1), row(3, 30, 1), row(4, 40, 1)];
    await cache.load(BOARD, first, SHAPE.capacity, { rows: sorted(before), floor: null });
    const epoch = await cache.open(BOARD);
    await apply(epoch, [
      stateOf(row(1, 11, 2)),
      { id: 2, row: null, basis: 1 },
      stateOf(row(6, 60, 0)),
      stateOf(row(7, 1, 0)),
      stateOf(row(8, 8, 3)),
    ]);
    const read = sorted([row(1, 10, 1), row(2, 20, 1), row(4, 41, 1), row(5, 50, 0), row(8, 9, 4)]);
    const differing = await cache.load(BOARD, epoch, SHAPE.capacity, {
      rows: read,
      floor: { id: 9, score: 7 },
    });
    // 3 was not read, so it is gone; 4 differs, 5 is new, 8 is newer in the database.
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

  it('gives way to a load that was begun later', async () => {
    const first = await cache.open(BOARD);
    const second = await cache.open(BOARD);
    const late: TableTop = { rows: [row(1, 1, 0)], floor: null };
    expect(await cache.load(BOARD, first, SHAPE.capacity, late)).toBeNull();
    expect((await cache.snapshot(BOARD))?.content).toEqual({ rows: [], floor: null, open: true });
    const newer: TableTop = { rows: [row(2, 2, 0)], floor: null };
    expect(await cache.load(BOARD, second, SHAPE.capacity, newer)).toBe(1);
  });
});

/**
 * A table, its change log, and two processes that share the log's one partition: any interleaving
 * of writes, batches, handovers, crashes, replays, re-sent changes, late batches, lost messages,
 * loads and losses of Redis must end with the board being the sorted table.
 */
describe('a board, whatever happens in whatever order', () => {
  interface Change {
    before: RankedRow | null;
    after: RankedRow | null;
  }

  class World {
    readonly table = new Map<number, RankedRow>();
    readonly log: Change[] = [];
    readonly processes: LiveBoard[] = [this.boot(), this.boot()];
    /** Versions of the rows that were deleted. */
    private readonly gone = new Map<number, number>();
    /** The group's committed offset. */
    committed = 0;
    /** Where the log stood when Redis was lost, and with it who had handled what. */
    forgotten = 0;
    /** The processes whose subscription is interrupted. */
    readonly deaf = new Set<number>();
    /** What happens while a load reads the table. */
    meanwhile: (() => Promise<void>)[] = [];

    boot(): LiveBoard {
      return new LiveBoard({ ...HOT_BOARD, name: BOARD }, SHAPE, cache, {
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
      // A row that comes again under its old id continues its version: a lower one would be a limit.
      const version =
        before === null ? (this.gone.get(id) ?? 0) : before.version + (isOurs ? 1 : 0);
      if (score === null && before !== null) this.gone.set(id, before.version);
      const after = score === null ? null : row(id, score, version);
      if (after === null) this.table.delete(id);
      else this.table.set(id, after);
      if (before !== null || after !== null) this.log.push({ before, after });
    }

    async consume(process: number, count: number): Promise<void> {
      this.committed += await this.handle(process, this.committed, count);
    }

    /** A process that lost the partition long ago still handles what it fetched then. */
    async handleLate(process: number, back: number): Promise<void> {
      const first = Math.max(this.forgotten, this.committed - back);
      await this.handle(process, first, Math.min(3, this.committed - first));
    }

    private async handle(process: number, first: number, count: number): Promise<number> {
      const changes = this.log.slice(first, first + count);
      if (changes.length === 0) return 0;
      await this.processes[process]!.apply({
        partition: 0,
        firstOffset: first,
        nextOffset: first + changes.length,
        states: fold(changes),
      });
      return changes.length;
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
  const processIndex = fc.nat(1);
  const writes = fc.array(
    fc.record({
      id,
      score: fc.option(fc.nat(12), { nil: null, freq: 4 }),
      isOurs: fc.boolean(),
    }),
    { maxLength: 6 },
  );
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('write' as const), writes }) },
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('consume' as const),
        process: processIndex,
        count: fc.integer({ min: 1, max: 6 }),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('load' as const),
        process: processIndex,
        during: writes,
        after: writes,
        count: fc.nat(5),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('crash' as const), process: processIndex }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('replay' as const), back: fc.nat(8) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('resend' as const), back: fc.nat(5) }) },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('late' as const),
        process: processIndex,
        back: fc.nat(6),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('deafen' as const), process: processIndex }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('flush' as const) }) },
  );

  type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

  it('is the sorted table in the end', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        await redis.flushdb();
        const world = new World();
        const deliver = (_: string, message: string): void =>
          world.processes.forEach(
            ({ replica }, index) => world.deaf.has(index) || replica.receive(message),
          );
        subscriber.on('message', deliver);
        try {
          for (const each of steps) await run(world, each);
          while (world.committed < world.log.length) await world.consume(0, 4);
          const expected = sorted(world.table.values());
          // The first look finds what was lost, the second one what it has missed.
          for (const process of world.processes) {
            await process.watch();
            await process.watch();
          }
          const content = await contentInRedis();
          expect(content.slice(0, SHAPE.size)).toEqual(expected.slice(0, SHAPE.size));
          expect(content).toEqual(expected.slice(0, content.length));
          for (const process of world.processes)
            expect(process.replica.board.top(100)).toEqual(expected.slice(0, SHAPE.size));
        } finally {
          subscriber.off('message', deliver);
          for (const { replica } of world.processes) replica.close();
        }
      }),
      { numRuns: 1000 },
    );
  });

  async function run(world: World, each: Step): Promise<void> {
    switch (each.kind) {
      case 'write':
        for (const { id, score, isOurs } of each.writes) world.write(id, score, isOurs);
        return;
      case 'consume':
        return world.consume(each.process, each.count);
      case 'load': {
        const other = 1 - each.process;
        const stage = (list: typeof each.during) => async (): Promise<void> => {
          for (const { id, score, isOurs } of list) world.write(id, score, isOurs);
          await world.consume(other, each.count);
        };
        world.meanwhile = [stage(each.during), stage(each.after)];
        await world.processes[each.process]!.load('reconcile');
        world.meanwhile = [];
        return;
      }
      case 'crash':
        world.processes[each.process]!.replica.close();
        world.processes[each.process] = world.boot();
        return;
      case 'replay':
        world.committed = Math.max(0, world.committed - each.back);
        return;
      case 'resend':
        world.log.push(...world.log.slice(Math.max(0, world.log.length - each.back)));
        return;
      case 'late':
        return world.handleLate(each.process, each.back);
      case 'deafen':
        if (!world.deaf.delete(each.process)) world.deaf.add(each.process);
        return;
      case 'flush':
        world.forgotten = world.committed;
        await redis.flushdb();
        return;
    }
  }
});
