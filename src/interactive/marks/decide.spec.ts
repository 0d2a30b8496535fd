import * as fc from 'fast-check';
import { keyOfObject } from '../../platform/business-object';
import { keyOfMark, type MarkKind } from '../model/mark';
import { decide, type LockedMarks, type MarkChanges } from './decide';
import { CollectionNotFoundError } from './mark.errors';
import { keyOfFolder, type MarkOperation } from './mark-operation';
import { type MarkRecord, NO_RECORD, transition } from './transition';

/** Each user has one folder, 10 times their id; folder 99 does not exist. */
const operations = fc.record({
  uid: fc.integer({ min: 1, max: 3 }),
  biz: fc.constantFrom('article', 'video'),
  bizId: fc.integer({ min: 1, max: 2 }),
});
const operation: fc.Arbitrary<MarkOperation> = operations.chain((target) =>
  fc.oneof(
    fc.boolean().map((on): MarkOperation => ({ kind: 'like', ...target, on })),
    fc.constantFrom(target.uid * 10, 99).map((collectionId): MarkOperation => ({
      kind: 'collect',
      ...target,
      on: true,
      collectionId,
    })),
    fc.constant<MarkOperation>({ kind: 'collect', ...target, on: false }),
  ),
);

interface World {
  like: Map<string, MarkRecord>;
  collect: Map<string, MarkRecord>;
  counters: Map<string, Record<MarkKind, number>>;
}

const emptyWorld = (): World => ({ like: new Map(), collect: new Map(), counters: new Map() });
const folders = new Set([1, 2, 3].map((uid) => keyOfFolder(uid, uid * 10)));
const lockedIn = (world: World): LockedMarks => ({ ...world, folders });
const countersOf = (world: World, key: string): Record<MarkKind, number> =>
  world.counters.get(key) ?? { like: 0, collect: 0 };

/** Writes the changes into the world as the database would. */
function write(world: World, { records, deltas }: MarkChanges): void {
  for (const kind of ['like', 'collect'] as const)
    for (const change of records[kind]) {
      expect(change.isNew).toBe(!world[kind].has(keyOfMark(change)));
      world[kind].set(keyOfMark(change), change.record);
    }
  for (const delta of deltas) {
    const counters = countersOf(world, keyOfObject(delta));
    world.counters.set(keyOfObject(delta), {
      like: counters.like + delta.like,
      collect: counters.collect + delta.collect,
    });
  }
}

describe('decide', () => {
  it('gives each operation of a group the outcome that it would have alone, in order', () => {
    fc.assert(
      fc.property(fc.array(fc.array(operation, { maxLength: 12 }), { maxLength: 6 }), (groups) => {
        const grouped = emptyWorld();
        const single = emptyWorld();
        for (const group of groups) {
          const changes = decide(group, lockedIn(grouped));
          write(grouped, changes);
          group.forEach((each, index) => {
            const alone = decide([each], lockedIn(single));
            write(single, alone);
            const outcome = changes.outcomes[index]!;
            const [expected] = alone.outcomes;
            if ('error' in outcome || 'error' in expected!) {
              expect('error' in outcome && 'error' in expected!).toBe(true);
              return;
            }
            const final = countersOf(grouped, keyOfObject(each));
            const seen = countersOf(single, keyOfObject(each));
            expect({
              liked: outcome.liked,
              collected: outcome.collected,
              like: final.like - outcome.later.like,
              collect: final.collect - outcome.later.collect,
            }).toEqual({ liked: expected!.liked, collected: expected!.collected, ...seen });
          });
        }
        expect(grouped.like).toEqual(single.like);
        expect(grouped.collect).toEqual(single.collect);
        for (const [key, counters] of single.counters)
          expect(countersOf(grouped, key)).toEqual(counters);
      }),
    );
  });

  it('keeps the counters equal to the records that are on', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60 }), (all) => {
        const world = emptyWorld();
        write(world, decide(all, lockedIn(world)));
        for (const kind of ['like', 'collect'] as const) {
          const on = new Map<string, number>();
          for (const [key, record] of world[kind])
            if (record.on) {
              const object = key.slice(key.indexOf(':') + 1);
              on.set(object, (on.get(object) ?? 0) + 1);
            }
          for (const [object, counters] of world.counters)
            expect(counters[kind]).toBe(on.get(object) ?? 0);
        }
      }),
    );
  });

  it('returns the state of every mark of the group, also of marks without a record', () => {
    const target = { uid: 1, biz: 'article', bizId: 1 };
    const { marks } = decide([{ kind: 'like', ...target, on: true }], lockedIn(emptyWorld()));
    expect(marks).toEqual([
      { ...target, like: { on: true, version: 1 }, collect: { on: false, version: 0 } },
    ]);
  });

  it('fails only the operation whose folder does not exist or belongs to another user', () => {
    const target = { uid: 1, biz: 'article', bizId: 1 };
    const { outcomes, deltas } = decide(
      [
        { kind: 'collect', ...target, on: true, collectionId: 99 },
        { kind: 'collect', ...target, on: true, collectionId: 20 },
        { kind: 'like', ...target, on: true },
      ],
      lockedIn(emptyWorld()),
    );
    expect(outcomes[0]).toEqual({ error: expect.any(CollectionNotFoundError) });
    expect(outcomes[1]).toEqual({ error: expect.any(CollectionNotFoundError) });
    expect(outcomes[2]).toMatchObject({ liked: true, collected: false });
    expect(deltas).toEqual([{ biz: 'article', bizId: 1, like: 1, collect: 0 }]);
  });

  it('changes only the version where likes and unlikes of a group cancel out', () => {
    const target = { uid: 1, biz: 'article', bizId: 1 };
    const before: MarkRecord = { ...NO_RECORD, version: 4 };
    const locked: LockedMarks = {
      like: new Map([[keyOfMark(target), before]]),
      collect: new Map(),
      folders,
    };
    const { records, deltas } = decide(
      [
        { kind: 'like', ...target, on: true },
        { kind: 'like', ...target, on: false },
      ],
      locked,
    );
    expect(deltas).toEqual([]);
    expect(records.like).toEqual([
      { ...target, record: { on: false, collectionId: null, version: 6 }, isNew: false },
    ]);
  });

  it('sorts records and counters, whatever the order of the operations', () => {
    const at = (uid: number, biz: string, bizId: number): MarkOperation => ({
      kind: 'like',
      uid,
      biz,
      bizId,
      on: true,
    });
    const { records, deltas } = decide(
      [at(10, 'b', 1), at(9, 'b', 2), at(9, 'a', 10), at(9, 'a', 9)],
      lockedIn(emptyWorld()),
    );
    expect(records.like.map(({ uid, biz, bizId }) => [uid, biz, bizId])).toEqual([
      [9, 'a', 9],
      [9, 'a', 10],
      [9, 'b', 2],
      [10, 'b', 1],
    ]);
    expect(deltas.map(({ biz, bizId }) => [bizId, biz])).toEqual([
      [1, 'b'],
      [2, 'b'],
      [9, 'a'],
      [10, 'a'],
    ]);
  });
});

describe('transition and decide', () => {
  it('agree on a single operation', () => {
    fc.assert(
      fc.property(operation, fc.boolean(), fc.nat({ max: 9 }), (each, on, version) => {
        fc.pre(!(each.kind === 'collect' && each.on && each.collectionId === 99));
        fc.pre(!on || version > 0);
        const record: MarkRecord = { on, version, collectionId: on ? each.uid * 10 : null };
        const locked: LockedMarks = {
          like: new Map(),
          collect: new Map(),
          folders,
          [each.kind]: new Map(version > 0 ? [[keyOfMark(each), record]] : []),
        };
        const { delta } = transition(version > 0 ? record : NO_RECORD, each);
        const counted = decide([each], locked).deltas.reduce((sum, d) => sum + d[each.kind], 0);
        expect(counted).toBe(delta);
      }),
    );
  });
});
