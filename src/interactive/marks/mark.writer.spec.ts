import { UnavailableError } from '../../platform/errors';
import type { CountersCache } from '../cache/counters.cache';
import type { OwnMarksCache } from '../cache/own-marks.cache';
import type { CounterRow } from '../model/counter-row';
import type { LockedMarks, MarkChanges } from './decide';
import type { LikeOperation } from './mark-operation';
import type { MarkRepository } from './mark.repository';
import { MarkWriter } from './mark.writer';

const like = (uid: number, on = true): LikeOperation => ({
  kind: 'like',
  uid,
  biz: 'article',
  bizId: 42,
  on,
});

/** A writer on a table of one object, with all that happens recorded in order. */
function setUp(
  faults: { announce?: Error; apply?: Error; commit?: Error } = {},
  { likeCnt = 10, isHeld = false } = {},
) {
  const events: string[] = [];
  let release = (): void => undefined;
  const held = isHeld ? new Promise<void>((resolve) => (release = resolve)) : Promise.resolve();
  const transaction = {
    async lock(operations: unknown[]): Promise<LockedMarks> {
      events.push(`lock ${operations.length}`);
      return { like: new Map(), collect: new Map(), folders: new Set() };
    },
    async commit({ deltas, records }: MarkChanges): Promise<CounterRow[]> {
      if (faults.commit) throw faults.commit;
      events.push(`commit ${records.like.length}`);
      const row = { id: 1, biz: 'article', bizId: 42, readCnt: 5, collectCnt: 1, version: 2 };
      return [{ ...row, likeCnt: likeCnt + (deltas[0]?.like ?? 0) }];
    },
  };
  const repository = {
    inTransaction: <T>(work: (given: typeof transaction) => Promise<T>) => work(transaction),
  };
  const ownMarks = {
    async announce(marks: unknown[]): Promise<void> {
      if (faults.announce) throw faults.announce;
      events.push(`announce ${marks.length}`);
    },
    async retract(marks: unknown[]): Promise<void> {
      events.push(`retract ${marks.length}`);
    },
    async applyStates(states: unknown[]): Promise<void> {
      await held;
      events.push(`show ${states.length} marks`);
      if (faults.apply) throw faults.apply;
    },
  };
  const counters = {
    async applyStates(rows: unknown[]): Promise<void> {
      await held;
      events.push(`show ${rows.length} counters`);
      if (faults.apply) throw faults.apply;
    },
  };
  const writer = new MarkWriter(
    repository as unknown as MarkRepository,
    counters as unknown as CountersCache,
    ownMarks as unknown as OwnMarksCache,
  );
  return { writer, events, release: () => release() };
}

describe('MarkWriter', () => {
  it('announces what changes before the commit and shows it after, once for a whole group', async () => {
    const { writer, events } = setUp();
    const states = await Promise.all([1, 2, 3].map((uid) => writer.write(like(uid))));
    expect(events).toEqual(['announce 3', 'lock 3', 'commit 3', 'show 1 counters', 'show 3 marks']);
    expect(states.map(({ likeCnt }) => likeCnt)).toEqual([11, 12, 13]);
    expect(states[0]).toEqual({
      biz: 'article',
      bizId: 42,
      readCnt: 5,
      likeCnt: 11,
      collectCnt: 1,
      liked: true,
      collected: false,
    });
  });

  it('gives each operation of a user in one group the state right after it', async () => {
    const { writer } = setUp();
    const states = await Promise.all([
      writer.write(like(1)),
      writer.write(like(1, false)),
      writer.write(like(1)),
    ]);
    expect(states.map(({ liked, likeCnt }) => [liked, likeCnt])).toEqual([
      [true, 11],
      [false, 10],
      [true, 11],
    ]);
  });

  it('answers only when the caches show the new state', async () => {
    const { writer, events, release } = setUp({}, { isHeld: true });
    let isAnswered = false;
    const answer = writer.write(like(1)).then(() => (isAnswered = true));
    while (!events.includes('commit 1')) await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    expect(isAnswered).toBe(false);
    release();
    await answer;
  });

  it.each([
    new UnavailableError('redis', 'down'),
    Object.assign(new Error('NOREPLICAS Not enough good replicas'), { name: 'ReplyError' }),
  ])('commits nothing that could not be announced, and retracts nothing: %s', async (announce) => {
    const { writer, events } = setUp({ announce });
    await expect(writer.write(like(1))).rejects.toBe(announce);
    expect(events).toEqual(['lock 1']);
  });

  it('answers with what is committed when the caches miss it', async () => {
    const { writer } = setUp({ apply: new UnavailableError('redis', 'down') });
    await expect(writer.write(like(1))).resolves.toMatchObject({ liked: true, likeCnt: 11 });
  });

  it.each([
    ['refuses a value', 1406, '22001'],
    ['has no such table', 1146, '42S02'],
  ])(
    'retracts the announcement of a group that MySQL rolled back: it %s',
    async (_, errno, sqlState) => {
      const { writer, events } = setUp({
        commit: Object.assign(new Error('refused'), { errno, sqlState }),
      });
      await expect(writer.write(like(1))).rejects.toThrow('refused');
      expect(events).toEqual(['announce 1', 'lock 1', 'retract 1']);
    },
  );

  it('leaves the announcement of a group that may have been committed', async () => {
    const { writer, events } = setUp({
      commit: Object.assign(new Error('shutdown in progress'), { errno: 1053, sqlState: '08S01' }),
    });
    await expect(writer.write(like(1))).rejects.toThrow('shutdown');
    expect(events).toEqual(['announce 1', 'lock 1']);
  });

  it('passes a failure of the database on to every caller of the group', async () => {
    const { writer, events } = setUp({ commit: new UnavailableError('mysql', 'down') });
    const outcomes = await Promise.allSettled([1, 2].map((uid) => writer.write(like(uid))));
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(events).toEqual(['announce 2', 'lock 2']);
  });
});
