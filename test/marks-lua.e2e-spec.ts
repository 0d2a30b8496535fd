import { Logger } from '@nestjs/common';
import { Redis } from 'ioredis';
import { Subject } from 'rxjs';
import {
  binlogTopic,
  CaptureGaps,
  type CaptureWatch,
  ChangeFeed,
  type RowChange,
  type RowImage,
  SeenBeats,
} from '../src/cdc';
import { CountersCache } from '../src/interactive/cache/counters.cache';
import type { Tickets } from '../src/interactive/cache/load-tickets';
import { OwnMarksCache } from '../src/interactive/cache/own-marks.cache';
import { CountersConsumer } from '../src/interactive/counters/counters.consumer';
import { type CounterRow, NO_COUNTS } from '../src/interactive/model/counter-row';
import type { MarkState, OwnMarks } from '../src/interactive/model/mark';
import type { Message } from '../src/messaging';
import type { Database } from '../src/platform/database';
import { HashReadBatch } from '../src/platform/redis';
import { eventually, isolatedStack } from './support';

const OBJECT = { biz: 'video', bizId: 42 };
const KEY = 'interactive:{video:42}';
const UID = 7;

let redis: Redis;
let counters: CountersCache;
let ownMarks: OwnMarksCache;
let consumer: CountersConsumer;
let stands = false;
const standing$ = new Subject<string>();

beforeAll(async () => {
  Logger.overrideLogger(false);
  const { REDIS_URL } = await isolatedStack('marks_lua');
  redis = new Redis(REDIS_URL);
  const reads = new HashReadBatch(redis);
  const watch = { stands: () => stands, standing$ } as unknown as CaptureWatch;
  counters = new CountersCache(redis, reads, watch);
  ownMarks = new OwnMarksCache(redis, reads);
  await Promise.all([counters.onModuleInit(), ownMarks.onModuleInit()]);
  const database = { schema: async () => 'webook' } as Database;
  const gaps = new CaptureGaps();
  const feed = new ChangeFeed(database, gaps, new SeenBeats());
  consumer = new CountersConsumer(counters, feed, gaps, watch);
});

beforeEach(async () => {
  stands = false;
  await redis.flushdb();
});

afterAll(() => {
  redis.disconnect();
});

const row = (id: number, version: number, likeCnt: number): CounterRow => ({
  ...OBJECT,
  ...NO_COUNTS,
  id,
  version,
  likeCnt,
});
const NO_ROW = row(0, 0, 0);

/** Stores loaded values, as if their loads had just begun. */
async function keep(rows: readonly CounterRow[], states: readonly MarkState[] = []): Promise<void> {
  await counters.storeLoaded(await counters.tickets(rows), rows);
  await ownMarks.storeLoaded(await ownMarks.tickets(states), states);
}

/** The like count that readers are shown; undefined when they must ask the database. */
async function shown(bizId = OBJECT.bizId): Promise<number | undefined> {
  const [counts] = await counters.read([{ ...OBJECT, bizId }]);
  return counts?.likeCnt;
}

describe("an object's counters", () => {
  it('follow the commits of the program, in whatever order they arrive', async () => {
    await counters.applyStates([row(1, 2, 20)]);
    expect(await shown()).toBe(20);
    await counters.applyStates([row(1, 1, 10)]);
    expect(await shown()).toBe(20);
    await counters.applyStates([row(1, 3, 30)]);
    expect(await shown()).toBe(30);
  });

  it('are stored from a load, unless the cached version is as new', async () => {
    await keep([row(1, 2, 20)]);
    expect(await shown()).toBe(20);
    await keep([row(1, 2, 99)]);
    await keep([row(1, 1, 99)]);
    expect(await shown()).toBe(20);
    await keep([row(1, 3, 30)]);
    expect(await shown()).toBe(30);
  });

  it('follow changes that keep the version, and ignore a late write of that version', async () => {
    await keep([row(1, 2, 20)]);
    await counters.capture([row(1, 2, 21)], []);
    expect(await shown()).toBe(21);
    await counters.applyStates([row(1, 2, 20)]);
    expect(await shown()).toBe(21);
    await counters.capture([row(1, 1, 10)], []);
    expect(await shown()).toBe(21);
  });

  it('are cached only briefly when there is no row', async () => {
    await keep([NO_ROW]);
    expect(await shown()).toBe(0);
    expect(await redis.pttl(KEY)).toBeLessThanOrEqual(12_500);
    await counters.capture([row(1, 0, 5)], []);
    expect(await shown()).toBe(5);
    expect(await redis.pttl(KEY)).toBeGreaterThan(60_000);
  });
});

describe('while change capture stands', () => {
  it('counters are cached for ten seconds at most, also on the floor of a captured change', async () => {
    await counters.capture([row(1, 2, 20)], []);
    stands = true;
    await keep([row(1, 2, 20), { ...row(2, 1, 5), bizId: 43 }]);
    await counters.applyStates([{ ...row(3, 1, 1), bizId: 44 }]);
    for (const bizId of [42, 43, 44]) {
      expect(await shown(bizId)).toBeDefined();
      expect(await redis.pttl(`interactive:{video:${bizId}}`)).toBeLessThanOrEqual(10_000);
    }
  });

  it('a captured change is late: what was loaded since is not replaced, but loaded again', async () => {
    stands = true;
    await keep([row(1, 2, 20)]);
    await counters.capture([row(1, 1, 7)], []);
    expect(await shown()).toBe(20);
    await counters.capture([row(1, 2, 7)], []);
    expect(await shown()).toBeUndefined();
    await keep([row(1, 2, 20)]);
    expect(await shown()).toBe(20);
  });

  it('all cached counters are dropped, by one instance at a time', async () => {
    await keep([row(1, 2, 20)]);
    standing$.next('ranking');
    standing$.next('interactive-cache');
    await eventually(async () => expect(await shown()).toBeUndefined());
    await keep([row(1, 2, 20)]);
    standing$.next('interactive-cache');
    expect(await counters.takeTurnToDrop(1)).toBe(false);
    expect(await shown()).toBe(20);
  });
});

describe('captured changes of an object that is not cached', () => {
  it('are not shown, and keep out only what is older', async () => {
    await counters.capture([row(1, 2, 20)], []);
    expect(await shown()).toBeUndefined();
    await keep([row(1, 1, 10)]);
    expect(await shown()).toBeUndefined();
    await counters.capture([row(1, 3, 30)], []);
    await counters.capture([row(1, 2, 20)], []);
    await keep([row(1, 2, 20)]);
    expect(await shown()).toBeUndefined();
    expect(await redis.pttl(KEY)).toBeLessThanOrEqual(30_000);
    await keep([row(1, 4, 40)]);
    expect(await shown()).toBe(40);
    expect(await redis.pttl(KEY)).toBeGreaterThan(60_000);
  });

  it('let a load of the same version be stored, for as long as they would have stayed', async () => {
    await counters.capture([row(1, 2, 20)], []);
    await keep([row(1, 2, 20)]);
    expect(await shown()).toBe(20);
    expect(await redis.pttl(KEY)).toBeLessThanOrEqual(30_000);
    await counters.capture([row(1, 2, 21)], []);
    expect(await shown()).toBe(21);
    expect(await redis.pttl(KEY)).toBeGreaterThan(60_000);
  });

  it('keep out a late write of the same version', async () => {
    await counters.capture([row(1, 2, 21)], []);
    await counters.applyStates([row(1, 2, 20)]);
    expect(await shown()).toBeUndefined();
    await counters.applyStates([row(1, 3, 30)]);
    expect(await shown()).toBe(30);
  });
});

describe('the consumer of captured changes', () => {
  const image = (id: number, version: number, likeCnt: number, bizId = OBJECT.bizId): RowImage => ({
    id: String(id),
    biz: OBJECT.biz,
    biz_id: String(bizId),
    read_cnt: '0',
    like_cnt: String(likeCnt),
    collect_cnt: '0',
    version: String(version),
  });
  const change = (before: RowImage | null, after: RowImage | null): RowChange => ({
    database: 'webook',
    table: 'interactives',
    kind: before === null ? 'insert' : after === null ? 'delete' : 'update',
    before,
    after,
    position: null,
    ordinal: 0,
    executedAt: 0,
  });
  const consume = (...changes: RowChange[]): Promise<void> =>
    consumer.onChanges({
      topic: binlogTopic.name,
      group: 'interactive-cache',
      partition: 0,
      logId: 'log',
      messages: [{ value: changes } as Message<RowChange[]>],
    });

  it('shows nothing outdated while it catches up, whether the cache is lost or not', async () => {
    const history = Array.from({ length: 10 }, (_, version) =>
      change(version === 0 ? null : image(1, version - 1, version - 1), image(1, version, version)),
    );
    for (const [index, each] of history.entries()) {
      if (index === 3 || index === 6) await redis.del(KEY);
      await consume(each);
      expect([undefined, 9]).toContain(await shown());
      if (index % 2 === 0) await keep([row(1, 9, 9)]);
    }
    expect(await shown()).toBe(9);
  });

  it('follows a row that is replaced, in one batch and step by step', async () => {
    await keep([row(1, 9, 90)]);
    await consume(change(image(1, 9, 90), null), change(null, image(2, 0, 3)));
    expect(await shown()).toBe(3);
    await consume(change(image(2, 0, 3), null));
    expect(await shown()).toBeUndefined();
    expect(await redis.pttl(KEY)).toBeLessThanOrEqual(30_000);
    // Loads that began before the deletion.
    await keep([row(2, 0, 3), row(1, 9, 90)]);
    expect(await shown()).toBeUndefined();
    await consume(change(null, image(3, 0, 4)));
    await keep([row(3, 0, 4)]);
    expect(await shown()).toBe(4);
    await counters.applyStates([row(4, 1, 1)]);
    expect(await shown()).toBe(1);
    // The deletion of the third row arrives after the program's write of the fourth.
    await consume(change(image(3, 0, 4), null));
    expect(await shown()).toBe(1);
  });

  it.each([5, 3])(
    'does not cache an object whose row is inserted again with the id %i, which is not higher',
    async (id) => {
      await keep([row(5, 9, 90)]);
      await consume(change(image(5, 9, 90), null), change(null, image(id, 0, 3)));
      expect(await shown()).toBeUndefined();
      await counters.applyStates([row(id, 1, 4)]);
      await keep([row(id, 1, 4)]);
      expect(await shown()).toBeUndefined();
      expect(await redis.pttl(KEY)).toBeLessThanOrEqual(30_000);
    },
  );

  it('ignores the rows of other schemas', async () => {
    await keep([row(1, 9, 90)]);
    await consume({ ...change(null, image(2, 0, 3)), database: 'another' });
    await consume(change(image(1, 9, 90), image(1, 10, 91)));
    expect(await shown()).toBe(91);
  });

  it('deletes every cached counter after DDL, and no mark', async () => {
    await keep(
      [row(1, 9, 90), { ...row(2, 5, 50), bizId: 43 }],
      [
        {
          ...OBJECT,
          uid: UID,
          like: { on: true, version: 1 },
          collect: { on: true, version: 1 },
        },
      ],
    );
    await consume({ ...change(null, null), kind: 'rewrite' });
    await eventually(async () => expect(await redis.keys('*')).toEqual([`${KEY}:mine:${UID}`]));
  });

  it('deletes the counters of an object whose row is given to another', async () => {
    await keep([row(1, 9, 90), { ...row(2, 5, 50), bizId: 43 }]);
    await consume(change(image(2, 5, 50, 43), null));
    await consume(change(image(1, 9, 90), image(1, 9, 90, 44)));
    for (const bizId of [42, 43, 44]) expect(await shown(bizId)).toBeUndefined();
  });
});

describe('a load during which the cache is lost', () => {
  const owned = { ...OBJECT, uid: UID };
  const marks = (version: number, on: boolean): MarkState[] => [
    { ...owned, like: { on, version }, collect: { on: false, version: 0 } },
  ];
  const own = async (): Promise<OwnMarks | undefined> =>
    (await ownMarks.read([{ ...OBJECT, uid: UID }]))[0];
  const takeTickets = async (): Promise<Tickets> =>
    new Map([...(await counters.tickets([OBJECT])), ...(await ownMarks.tickets([owned]))]);
  const store = async (
    tickets: Tickets,
    rows: readonly CounterRow[],
    states: readonly MarkState[],
  ): Promise<void> => {
    await counters.storeLoaded(tickets, rows);
    await ownMarks.storeLoaded(tickets, states);
  };

  it.each([
    ['no other load has begun', false],
    ['another load has begun', true],
  ])('is not stored, since it may be outdated: %s', async (_, isAskedAgain) => {
    const tickets = await takeTickets();
    await Promise.all([
      counters.applyStates([row(1, 2, 20)]),
      ownMarks.applyStates(marks(1, true)),
    ]);
    await redis.flushdb();
    if (isAskedAgain) await takeTickets();
    await store(tickets, [row(1, 1, 10)], marks(0, false));
    expect(await shown()).toBeUndefined();
    expect(await own()).toBeUndefined();
    await keep([row(1, 2, 20)], marks(1, true));
    expect(await shown()).toBe(20);
    expect(await own()).toEqual({ liked: true, collected: false });
  });

  it('is stored when other loads have begun too, and leaves nothing behind when it never ends', async () => {
    const first = await takeTickets();
    const second = await takeTickets();
    expect(second).toEqual(first);
    for (const key of first.keys()) {
      expect(await redis.pttl(key)).toBeGreaterThan(0);
      expect(await redis.pttl(key)).toBeLessThanOrEqual(30_000);
    }
    await store(second, [row(1, 2, 20)], marks(1, true));
    await store(first, [row(1, 3, 30)], marks(2, false));
    expect(await shown()).toBe(30);
    expect(await own()).toEqual({ liked: false, collected: false });
    expect(await redis.pttl(KEY)).toBeGreaterThan(60_000);
  });

  it('is not stored either when the object was dropped in between', async () => {
    const tickets = await takeTickets();
    await Promise.all([counters.drop([OBJECT]), ownMarks.drop([owned])]);
    await store(tickets, [row(1, 1, 10)], marks(0, false));
    expect(await shown()).toBeUndefined();
    expect(await own()).toBeUndefined();
  });
});

describe("a user's marks", () => {
  const marksKey = `${KEY}:mine:${UID}`;
  const announced = [{ ...OBJECT, uid: UID }];
  const marks = (version: number, liked: boolean): MarkState[] => [
    { ...OBJECT, uid: UID, like: { on: liked, version }, collect: { on: false, version: 0 } },
  ];
  const own = async (): Promise<OwnMarks | undefined> =>
    (await ownMarks.read([{ ...OBJECT, uid: UID }]))[0];
  const NOT_LIKED = { liked: false, collected: false };
  const LIKED = { liked: true, collected: false };

  it('are hidden from the announcement of a change until it is applied', async () => {
    await keep([], marks(0, false));
    expect(await own()).toEqual(NOT_LIKED);
    await ownMarks.announce(announced);
    expect(await own()).toBeUndefined();
    await ownMarks.applyStates(marks(1, true));
    expect(await own()).toEqual(LIKED);
    expect(await redis.pttl(marksKey)).toBeGreaterThan(60_000);
  });

  it('are not stored from a load while a change is announced', async () => {
    await ownMarks.announce(announced);
    await keep([], marks(0, false));
    expect(await redis.hmget(marksKey, 'p', 'lv')).toEqual(['1', null]);
    await ownMarks.applyStates(marks(1, true));
    await keep([], marks(0, false));
    expect(await own()).toEqual(LIKED);
  });

  it('are shown again when every announced change is applied: the newest, whatever the order', async () => {
    await keep([], marks(0, false));
    await ownMarks.announce(announced);
    await ownMarks.announce(announced);
    await ownMarks.applyStates(marks(2, false));
    expect(await own()).toBeUndefined();
    await ownMarks.applyStates(marks(1, true));
    expect(await own()).toEqual(NOT_LIKED);
    expect(await redis.hget(marksKey, 'lv')).toBe('2');
  });

  it('are shown again as they were when all announcements are retracted', async () => {
    await keep([], marks(1, true));
    await ownMarks.announce(announced);
    await ownMarks.announce(announced);
    await ownMarks.retract(announced);
    expect(await own()).toBeUndefined();
    await ownMarks.retract(announced);
    expect(await own()).toEqual(LIKED);
    expect(await redis.pttl(marksKey)).toBeGreaterThan(60_000);
  });

  it('expire with the announcement when the process that announced is dead', async () => {
    await keep([], marks(1, false));
    expect(await redis.pttl(marksKey)).toBeGreaterThan(60_000);
    await ownMarks.announce(announced);
    const ttl = await redis.pttl(marksKey);
    expect(ttl).toBeGreaterThan(20_000);
    expect(ttl).toBeLessThanOrEqual(30_000);
    await redis.pexpire(marksKey, 1);
    await eventually(async () => expect(await redis.exists(marksKey)).toBe(0));
    await keep([], marks(1, true));
    expect(await own()).toEqual(LIKED);
  });

  it('are remembered only for a moment where the user has no record', async () => {
    await keep([], marks(0, false));
    expect(await own()).toEqual(NOT_LIKED);
    expect(await redis.pttl(marksKey)).toBeLessThanOrEqual(12_500);
    await ownMarks.announce(announced);
    await ownMarks.applyStates(marks(1, true));
    expect(await redis.pttl(marksKey)).toBeGreaterThan(60_000);
  });

  it('are remembered for longer where the object is known', async () => {
    const tickets = await ownMarks.tickets(announced);
    await ownMarks.storeLoaded(tickets, marks(0, false), new Set(['video:42']));
    expect(await own()).toEqual(NOT_LIKED);
    expect(await redis.pttl(marksKey)).toBeGreaterThan(60_000);
  });

  it('accept no lower version', async () => {
    await ownMarks.applyStates(marks(3, true));
    await ownMarks.applyStates(marks(2, false));
    await keep([], marks(2, false));
    expect(await own()).toEqual(LIKED);
  });

  it('are changed even when the server has lost the scripts', async () => {
    await redis.script('FLUSH');
    await ownMarks.announce(announced);
    await redis.script('FLUSH');
    await Promise.all([counters.applyStates([row(1, 1, 1)]), ownMarks.applyStates(marks(1, true))]);
    expect(await own()).toEqual(LIKED);
    expect(await shown()).toBe(1);
  });
});
