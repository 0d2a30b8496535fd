import { Logger } from '@nestjs/common';
import { Redis } from 'ioredis';
import { binlogTopic, CaptureGaps, type RowChange, type RowImage } from '../src/cdc';
import type { Message } from '../src/messaging';
import type { Database } from '../src/platform/database';
import { CountersConsumer } from '../src/interactive/counters.consumer';
import { InteractiveCache, type OwnMarks } from '../src/interactive/interactive.cache';
import { type CounterRow, type MarkState, NO_COUNTS } from '../src/interactive/states';
import { eventually, isolatedStack } from './support';

const OBJECT = { biz: 'video', bizId: 42 };
const KEY = 'interactive:{video:42}';
const UID = 7;

let redis: Redis;
let cache: InteractiveCache;
let consumer: CountersConsumer;

beforeAll(async () => {
  Logger.overrideLogger(false);
  const { REDIS_URL } = await isolatedStack('marks_lua');
  redis = new Redis(REDIS_URL);
  cache = new InteractiveCache(redis);
  await cache.onModuleInit();
  const database = { schema: async () => 'webook' } as Database;
  consumer = new CountersConsumer(cache, new CaptureGaps(), database);
});

beforeEach(() => redis.flushdb());

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

/** Loads, as if they had just begun. */
async function keep(rows: readonly CounterRow[], marks: readonly MarkState[] = []): Promise<void> {
  await cache.keep(await cache.tickets(rows, marks), rows, marks);
}

/** The likes that readers are shown; undefined when they must ask the database. */
async function shown(bizId = OBJECT.bizId): Promise<number | undefined> {
  const [state] = await cache.read([{ ...OBJECT, bizId }], null);
  return state?.counters?.likeCnt;
}

describe("an object's counters", () => {
  it('follow what the program commits, in whatever order it arrives', async () => {
    await cache.apply([row(1, 2, 20)]);
    expect(await shown()).toBe(20);
    await cache.apply([row(1, 1, 10)]);
    expect(await shown()).toBe(20);
    await cache.apply([row(1, 3, 30)]);
    expect(await shown()).toBe(30);
  });

  it('keep what is loaded, unless something as new is there', async () => {
    await keep([row(1, 2, 20)]);
    expect(await shown()).toBe(20);
    await keep([row(1, 2, 99)]);
    await keep([row(1, 1, 99)]);
    expect(await shown()).toBe(20);
    await keep([row(1, 3, 30)]);
    expect(await shown()).toBe(30);
  });

  it('follow changes that leave the version, against a late write of the version', async () => {
    await keep([row(1, 2, 20)]);
    await cache.capture([row(1, 2, 21)], []);
    expect(await shown()).toBe(21);
    await cache.apply([row(1, 2, 20)]);
    expect(await shown()).toBe(21);
    await cache.capture([row(1, 1, 10)], []);
    expect(await shown()).toBe(21);
  });

  it('are remembered only for a moment where there is no row', async () => {
    await keep([NO_ROW]);
    expect(await shown()).toBe(0);
    expect(await redis.pttl(KEY)).toBeLessThanOrEqual(12_500);
    await cache.capture([row(1, 0, 5)], []);
    expect(await shown()).toBe(5);
    expect(await redis.pttl(KEY)).toBeGreaterThan(60_000);
  });
});

describe('captured changes of an object that is not cached', () => {
  it('are shown to nobody, and keep nothing but what is older out', async () => {
    await cache.capture([row(1, 2, 20)], []);
    expect(await shown()).toBeUndefined();
    await keep([row(1, 1, 10)]);
    expect(await shown()).toBeUndefined();
    await cache.capture([row(1, 3, 30)], []);
    await cache.capture([row(1, 2, 20)], []);
    await keep([row(1, 2, 20)]);
    expect(await shown()).toBeUndefined();
    expect(await redis.pttl(KEY)).toBeLessThanOrEqual(30_000);
    await keep([row(1, 4, 40)]);
    expect(await shown()).toBe(40);
    expect(await redis.pttl(KEY)).toBeGreaterThan(60_000);
  });

  it('let a load of the same version in, for as long as they would have stayed', async () => {
    await cache.capture([row(1, 2, 20)], []);
    await keep([row(1, 2, 20)]);
    expect(await shown()).toBe(20);
    expect(await redis.pttl(KEY)).toBeLessThanOrEqual(30_000);
    await cache.capture([row(1, 2, 21)], []);
    expect(await shown()).toBe(21);
    expect(await redis.pttl(KEY)).toBeGreaterThan(60_000);
  });

  it('keep out a late write of the same version', async () => {
    await cache.capture([row(1, 2, 21)], []);
    await cache.apply([row(1, 2, 20)]);
    expect(await shown()).toBeUndefined();
    await cache.apply([row(1, 3, 30)]);
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

  it('follows a row that is replaced, at once and one by one', async () => {
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
    await cache.apply([row(4, 1, 1)]);
    expect(await shown()).toBe(1);
    // The deletion of the third row comes after what the program has made of the fourth.
    await consume(change(image(3, 0, 4), null));
    expect(await shown()).toBe(1);
  });

  it.each([5, 3])(
    'leaves an object to the database whose row comes again under the id %i, no higher one',
    async (id) => {
      await keep([row(5, 9, 90)]);
      await consume(change(image(5, 9, 90), null), change(null, image(id, 0, 3)));
      expect(await shown()).toBeUndefined();
      await cache.apply([row(id, 1, 4)]);
      await keep([row(id, 1, 4)]);
      expect(await shown()).toBeUndefined();
      expect(await redis.pttl(KEY)).toBeLessThanOrEqual(30_000);
    },
  );

  it('overlooks the rows of other schemas', async () => {
    await keep([row(1, 9, 90)]);
    await consume({ ...change(null, image(2, 0, 3)), database: 'another' });
    await consume(change(image(1, 9, 90), image(1, 10, 91)));
    expect(await shown()).toBe(91);
  });

  it('forgets every counter after DDL, and no mark', async () => {
    await keep(
      [row(1, 9, 90), { ...row(2, 5, 50), bizId: 43 }],
      [
        { ...OBJECT, uid: UID, kind: 'like', on: true, version: 1 },
        { ...OBJECT, uid: UID, kind: 'collect', on: true, version: 1 },
      ],
    );
    await consume({ ...change(null, null), kind: 'rewrite' });
    await eventually(async () => expect(await redis.keys('*')).toEqual([`${KEY}:mine:${UID}`]));
  });

  it('takes the counters from an object whose row is given to another', async () => {
    await keep([row(1, 9, 90), { ...row(2, 5, 50), bizId: 43 }]);
    await consume(change(image(2, 5, 50, 43), null));
    await consume(change(image(1, 9, 90), image(1, 9, 90, 44)));
    for (const bizId of [42, 43, 44]) expect(await shown(bizId)).toBeUndefined();
  });
});

describe('what is loaded while the cache is lost', () => {
  const owned = { ...OBJECT, uid: UID };
  const marks = (version: number, on: boolean): MarkState[] => [
    { ...owned, kind: 'like', on, version },
    { ...owned, kind: 'collect', on: false, version: 0 },
  ];
  const own = async (): Promise<OwnMarks | undefined> =>
    (await cache.read([OBJECT], UID))[0]?.marks;

  it.each([
    ['nobody else has asked', false],
    ['another load has begun', true],
  ])('is not kept, since nothing tells whether it is outdated: %s', async (_, isAskedAgain) => {
    const tickets = await cache.tickets([OBJECT], [owned]);
    await cache.apply([row(1, 2, 20)], marks(1, true));
    await redis.flushdb();
    if (isAskedAgain) await cache.tickets([OBJECT], [owned]);
    await cache.keep(tickets, [row(1, 1, 10)], marks(0, false));
    expect(await shown()).toBeUndefined();
    expect(await own()).toBeUndefined();
    await keep([row(1, 2, 20)], marks(1, true));
    expect(await shown()).toBe(20);
    expect(await own()).toEqual({ liked: true, collected: false });
  });

  it('is kept when others have asked too, and leaves nothing behind when it never comes', async () => {
    const first = await cache.tickets([OBJECT], [owned]);
    const second = await cache.tickets([OBJECT], [owned]);
    expect(second).toEqual(first);
    for (const key of first.keys()) {
      expect(await redis.pttl(key)).toBeGreaterThan(0);
      expect(await redis.pttl(key)).toBeLessThanOrEqual(30_000);
    }
    await cache.keep(second, [row(1, 2, 20)], marks(1, true));
    await cache.keep(first, [row(1, 3, 30)], marks(2, false));
    expect(await shown()).toBe(30);
    expect(await own()).toEqual({ liked: false, collected: false });
    expect(await redis.pttl(KEY)).toBeGreaterThan(60_000);
  });

  it('is not kept either when it was dropped in between', async () => {
    const tickets = await cache.tickets([OBJECT], [owned]);
    await cache.drop([OBJECT], [owned]);
    await cache.keep(tickets, [row(1, 1, 10)], marks(0, false));
    expect(await shown()).toBeUndefined();
    expect(await own()).toBeUndefined();
  });
});

describe("a user's marks", () => {
  const marksKey = `${KEY}:mine:${UID}`;
  const announced = [{ ...OBJECT, uid: UID }];
  const marks = (version: number, liked: boolean): MarkState[] => [
    { ...OBJECT, uid: UID, kind: 'like', on: liked, version },
    { ...OBJECT, uid: UID, kind: 'collect', on: false, version: 0 },
  ];
  const own = async (): Promise<OwnMarks | undefined> =>
    (await cache.read([OBJECT], UID))[0]?.marks;
  const NOT_LIKED = { liked: false, collected: false };
  const LIKED = { liked: true, collected: false };

  it('are hidden from their announcement until the change is applied', async () => {
    await keep([], marks(0, false));
    expect(await own()).toEqual(NOT_LIKED);
    await cache.announce(announced);
    expect(await own()).toBeUndefined();
    await cache.apply([], marks(1, true));
    expect(await own()).toEqual(LIKED);
    expect(await redis.pttl(marksKey)).toBeGreaterThan(60_000);
  });

  it('are not kept from a load while a change is announced', async () => {
    await cache.announce(announced);
    await keep([], marks(0, false));
    expect(await redis.hmget(marksKey, 'p', 'lv')).toEqual(['1', null]);
    await cache.apply([], marks(1, true));
    await keep([], marks(0, false));
    expect(await own()).toEqual(LIKED);
  });

  it('are shown again when every announced change is applied, the newest whatever their order', async () => {
    await keep([], marks(0, false));
    await cache.announce(announced);
    await cache.announce(announced);
    await cache.apply([], marks(2, false));
    expect(await own()).toBeUndefined();
    await cache.apply([], marks(1, true));
    expect(await own()).toEqual(NOT_LIKED);
    expect(await redis.hget(marksKey, 'lv')).toBe('2');
  });

  it('are shown again as they were when what was announced is retracted', async () => {
    await keep([], marks(1, true));
    await cache.announce(announced);
    await cache.announce(announced);
    await cache.retract(announced);
    expect(await own()).toBeUndefined();
    await cache.retract(announced);
    expect(await own()).toEqual(LIKED);
    expect(await redis.pttl(marksKey)).toBeGreaterThan(60_000);
  });

  it('are given up with the announcement when whoever announced is dead', async () => {
    await keep([], marks(0, false));
    expect(await redis.pttl(marksKey)).toBeGreaterThan(60_000);
    await cache.announce(announced);
    const ttl = await redis.pttl(marksKey);
    expect(ttl).toBeGreaterThan(20_000);
    expect(ttl).toBeLessThanOrEqual(30_000);
    await redis.pexpire(marksKey, 1);
    await eventually(async () => expect(await redis.exists(marksKey)).toBe(0));
    await keep([], marks(1, true));
    expect(await own()).toEqual(LIKED);
  });

  it('take no lower version', async () => {
    await cache.apply([], marks(3, true));
    await cache.apply([], marks(2, false));
    await keep([], marks(2, false));
    expect(await own()).toEqual(LIKED);
  });

  it('are changed also by a server that has forgotten the scripts', async () => {
    await redis.script('FLUSH');
    await cache.announce(announced);
    await redis.script('FLUSH');
    await cache.apply([row(1, 1, 1)], marks(1, true));
    expect(await own()).toEqual(LIKED);
    expect(await shown()).toBe(1);
  });
});
