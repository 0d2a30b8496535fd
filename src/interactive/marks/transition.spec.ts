import type { MarkOperation } from './mark-operation';
import { type MarkRecord, NO_RECORD, transition } from './transition';

const target = { uid: 1, biz: 'article', bizId: 42 };
const like: MarkOperation = { kind: 'like', ...target, on: true };
const unlike: MarkOperation = { kind: 'like', ...target, on: false };
const collect = (collectionId: number): MarkOperation => ({
  kind: 'collect',
  ...target,
  on: true,
  collectionId,
});
const uncollect = (onlyFrom?: number): MarkOperation => ({
  kind: 'collect',
  ...target,
  on: false,
  onlyFrom,
});

function run(...operations: MarkOperation[]): { record: MarkRecord; deltas: number[] } {
  let record = NO_RECORD;
  const deltas = operations.map((operation) => {
    const next = transition(record, operation);
    record = next.record;
    return next.delta;
  });
  return { record, deltas };
}

describe('transition', () => {
  it('counts a like once, however often it is set', () => {
    expect(run(like, like, like)).toEqual({
      record: { on: true, collectionId: null, version: 1 },
      deltas: [1, 0, 0],
    });
  });

  it('leaves no record when a like that does not exist is taken back', () => {
    expect(run(unlike, unlike)).toEqual({ record: NO_RECORD, deltas: [0, 0] });
  });

  it('raises the version at every transition, and only then', () => {
    expect(run(like, unlike, unlike, like)).toEqual({
      record: { on: true, collectionId: null, version: 3 },
      deltas: [1, -1, 0, 1],
    });
  });

  it('counts an object once, whatever folder it moves to', () => {
    expect(run(collect(7), collect(8), collect(8))).toEqual({
      record: { on: true, collectionId: 8, version: 2 },
      deltas: [1, 0, 0],
    });
  });

  it('remembers the folder of an object that was taken out, and collects it into another one', () => {
    expect(run(collect(7), uncollect(), uncollect(), collect(8))).toEqual({
      record: { on: true, collectionId: 8, version: 3 },
      deltas: [1, -1, 0, 1],
    });
  });

  it('takes an object out of one folder only, if the operation says so', () => {
    expect(run(collect(7), uncollect(8)).record).toMatchObject({ on: true, collectionId: 7 });
    expect(run(collect(7), uncollect(7)).deltas).toEqual([1, -1]);
  });
});
