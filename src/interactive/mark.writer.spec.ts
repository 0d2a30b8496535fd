import { UnavailableError } from '../platform/errors';
import type { InteractiveCache } from './interactive.cache';
import type { LikeOperation } from './mark';
import { settle } from './mark.group';
import type { CommittedGroup, MarkRepository } from './mark.repository';
import { MarkWriter } from './mark.writer';

const like = (uid: number, on = true): LikeOperation => ({
  kind: 'like',
  uid,
  biz: 'article',
  bizId: 42,
  on,
});

/** A writer on a table of one object, with everything that happens written down in order. */
function setUp(
  faults: { announce?: Error; apply?: Error; commit?: Error } = {},
  { likeCnt = 10, isHeld = false } = {},
) {
  const events: string[] = [];
  let release = (): void => undefined;
  const held = isHeld ? new Promise<void>((resolve) => (release = resolve)) : Promise.resolve();
  const repository = {
    async commit(operations: LikeOperation[], ready: Promise<unknown>): Promise<CommittedGroup> {
      await ready;
      if (faults.commit) throw faults.commit;
      const none = { like: new Map(), collect: new Map(), folders: new Set<string>() };
      const settlement = settle(operations, none);
      const delta = settlement.deltas[0]?.like ?? 0;
      events.push(`commit ${operations.length}`);
      const row = { id: 1, biz: 'article', bizId: 42, readCnt: 5, collectCnt: 1, version: 2 };
      return { ...settlement, rows: [{ ...row, likeCnt: likeCnt + delta }] };
    },
  };
  const cache = {
    async announce(marks: unknown[]): Promise<void> {
      if (faults.announce) throw faults.announce;
      events.push(`announce ${marks.length}`);
    },
    async retract(marks: unknown[]): Promise<void> {
      events.push(`retract ${marks.length}`);
    },
    async apply(rows: unknown[], marks: unknown[]): Promise<void> {
      await held;
      events.push(`apply ${rows.length}+${marks.length}`);
      if (faults.apply) throw faults.apply;
    },
  };
  const writer = new MarkWriter(
    repository as unknown as MarkRepository,
    cache as unknown as InteractiveCache,
  );
  return { writer, events, release: () => release() };
}

describe('MarkWriter', () => {
  it('announces what changes before the commit and shows it after, once for a whole group', async () => {
    const { writer, events } = setUp();
    const states = await Promise.all([1, 2, 3].map((uid) => writer.write(like(uid))));
    expect(events).toEqual(['announce 3', 'commit 3', 'apply 1+6']);
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

  it('gives operations of one user in one group each the state after itself', async () => {
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

  it('answers only when the caches show it', async () => {
    const { writer, events, release } = setUp({}, { isHeld: true });
    let isAnswered = false;
    const answer = writer.write(like(1)).then(() => (isAnswered = true));
    while (!events.includes('commit 1')) await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    expect(isAnswered).toBe(false);
    release();
    await answer;
  });

  it('commits nothing that the caches could not be told of before', async () => {
    const { writer, events } = setUp({ announce: new UnavailableError('redis', 'down') });
    await expect(writer.write(like(1))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(events).toEqual([]);
  });

  it('stands by what is committed when the caches miss it', async () => {
    const { writer } = setUp({ apply: new UnavailableError('redis', 'down') });
    await expect(writer.write(like(1))).resolves.toMatchObject({ liked: true, likeCnt: 11 });
  });

  it('retracts what it announced for a group that was rolled back, of which nothing comes', async () => {
    const { writer, events } = setUp({ commit: new Error('Data too long') });
    await expect(writer.write(like(1))).rejects.toThrow('Data too long');
    expect(events).toEqual(['announce 1', 'retract 1']);
  });

  it('passes the failure of the database on to everybody it concerns', async () => {
    const { writer, events } = setUp({ commit: new UnavailableError('mysql', 'down') });
    const outcomes = await Promise.allSettled([1, 2].map((uid) => writer.write(like(uid))));
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(events).toEqual(['announce 2']);
  });
});
