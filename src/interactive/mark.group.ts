import type { DomainError } from '../platform/errors';
import { CollectionNotFoundError } from './collections.errors';
import { type MarkKind, type MarkOperation, type MarkRecord, NO_RECORD, transition } from './mark';
import type { MarkState, ObjectRef } from './states';

/** Whose mark on which object. */
export interface MarkKey extends ObjectRef {
  readonly uid: number;
}

export const keyOfObject = ({ biz, bizId }: ObjectRef): string => `${biz}:${bizId}`;
export const keyOfMark = (key: MarkKey): string => `${key.uid}:${key.biz}:${key.bizId}`;
export const keyOfFolder = (uid: number, collectionId: number): string => `${uid}:${collectionId}`;

/** Names of all that an operation locks. */
export function needsOf(operation: MarkOperation): string[] {
  const names = [keyOfMark(operation), keyOfObject(operation)];
  if (operation.kind === 'collect' && operation.on)
    names.push(keyOfFolder(operation.uid, operation.collectionId));
  return names;
}

/** What the database holds, under lock, of everything that a group of operations is about. */
export interface FoundMarks {
  /** By `keyOfMark`; absent where there is no row. */
  readonly like: ReadonlyMap<string, MarkRecord>;
  readonly collect: ReadonlyMap<string, MarkRecord>;
  /** By `keyOfFolder`: the folders that exist, each with its owner. */
  readonly folders: ReadonlySet<string>;
}

export interface RecordChange extends MarkKey {
  readonly record: MarkRecord;
  /** There is no row yet. */
  readonly isNew: boolean;
}

export interface CounterDelta extends ObjectRef {
  readonly like: number;
  readonly collect: number;
}

/** One operation's own outcome: its error, or what its user sees right after it. */
export type Step =
  | { readonly error: DomainError }
  | {
      readonly liked: boolean;
      readonly collected: boolean;
      /** What later operations of the group add to the object's counters. */
      readonly later: { readonly like: number; readonly collect: number };
    };

export interface Settlement {
  readonly changes: Readonly<Record<MarkKind, readonly RecordChange[]>>;
  /** Objects whose counters move, in the order in which every group locks them. */
  readonly deltas: readonly CounterDelta[];
  /** In the order of the operations. */
  readonly steps: readonly Step[];
  /** The state of every mark that was looked at, changed or not. */
  readonly marks: readonly MarkState[];
}

const compare = (a: string | number, b: string | number): number => (a < b ? -1 : a > b ? 1 : 0);

/** The order of the records' primary key: all groups lock in it, so they rarely deadlock. */
export const byMarkKey = (a: MarkKey, b: MarkKey): number =>
  compare(a.uid, b.uid) || compare(a.biz, b.biz) || compare(a.bizId, b.bizId);

/** The order of the counters' unique index. */
export const byObject = (a: ObjectRef, b: ObjectRef): number =>
  compare(a.bizId, b.bizId) || compare(a.biz, b.biz);

/** The operations' distinct marks, sorted. */
export function marksOf(operations: readonly MarkOperation[]): MarkKey[] {
  const marks = new Map<string, MarkKey>();
  for (const { uid, biz, bizId } of operations) {
    const mark = { uid, biz, bizId };
    marks.set(keyOfMark(mark), mark);
  }
  return [...marks.values()].sort(byMarkKey);
}

/** The operations' distinct objects, sorted. */
export function objectsOf(operations: readonly MarkOperation[]): ObjectRef[] {
  const objects = new Map<string, ObjectRef>();
  for (const { biz, bizId } of operations) {
    const object = { biz, bizId };
    objects.set(keyOfObject(object), object);
  }
  return [...objects.values()].sort(byObject);
}

/**
 * Carries a group of operations out one after another, in memory: each meets what the one before it
 * left, and gets its own outcome. An operation on a folder that is not there fails alone.
 */
export function settle(operations: readonly MarkOperation[], found: FoundMarks): Settlement {
  const now = { like: new Map(found.like), collect: new Map(found.collect) };
  const moved = new Map<string, { like: number; collect: number }>();
  const runs = operations.map((operation) => {
    const error = faultOf(operation, found);
    if (error) return { operation, error };
    const key = keyOfMark(operation);
    const { record, delta } = transition(now[operation.kind].get(key) ?? NO_RECORD, operation);
    if (record.version > 0) now[operation.kind].set(key, record);
    const sum = { ...(moved.get(keyOfObject(operation)) ?? { like: 0, collect: 0 }) };
    sum[operation.kind] += delta;
    moved.set(keyOfObject(operation), sum);
    return {
      operation,
      liked: now.like.get(key)?.on ?? false,
      collected: now.collect.get(key)?.on ?? false,
      sum,
    };
  });
  const marks = marksOf(operations);
  return {
    changes: { like: changesOf('like'), collect: changesOf('collect') },
    deltas: objectsOf(operations)
      .map((object) => ({ ...object, ...(moved.get(keyOfObject(object)) ?? ZERO) }))
      .filter(({ like, collect }) => like !== 0 || collect !== 0),
    steps: runs.map((run) => {
      if (run.error) return { error: run.error };
      const total = moved.get(keyOfObject(run.operation)) ?? ZERO;
      const later = { like: total.like - run.sum.like, collect: total.collect - run.sum.collect };
      return { liked: run.liked, collected: run.collected, later };
    }),
    marks: marks.flatMap((mark) =>
      KINDS.map((kind) => {
        const { on, version } = now[kind].get(keyOfMark(mark)) ?? NO_RECORD;
        return { ...mark, kind, on, version };
      }),
    ),
  };

  function changesOf(kind: MarkKind): RecordChange[] {
    return marks.flatMap((mark) => {
      const before = found[kind].get(keyOfMark(mark));
      const record = now[kind].get(keyOfMark(mark));
      if (!record || record.version === before?.version) return [];
      return [{ ...mark, record, isNew: before === undefined }];
    });
  }
}

const KINDS: readonly MarkKind[] = ['like', 'collect'];
const ZERO = { like: 0, collect: 0 };

function faultOf(operation: MarkOperation, { folders }: FoundMarks): DomainError | null {
  if (operation.kind === 'like' || !operation.on) return null;
  const { uid, collectionId } = operation;
  return folders.has(keyOfFolder(uid, collectionId))
    ? null
    : new CollectionNotFoundError(collectionId);
}
