import { keyOfObject, type ObjectRef } from '../../platform/business-object';
import type { DomainError } from '../../platform/errors';
import {
  keyOfMark,
  type MarkKey,
  type MarkKind,
  type MarkState,
  type OwnMarks,
} from '../model/mark';
import { CollectionNotFoundError } from './mark.errors';
import { keyOfFolder, type MarkOperation, marksOf, objectsOf } from './mark-operation';
import { type MarkRecord, NO_RECORD, transition } from './transition';

/** The rows of a group of operations, as they were locked. */
export interface LockedMarks {
  /** By `keyOfMark`; absent where there is no row. */
  readonly like: ReadonlyMap<string, MarkRecord>;
  readonly collect: ReadonlyMap<string, MarkRecord>;
  /** The folders that exist, by `keyOfFolder` with their owner. */
  readonly folders: ReadonlySet<string>;
}

export interface RecordChange extends MarkKey {
  readonly record: MarkRecord;
  /** There is no row yet. */
  readonly isNew: boolean;
}

type MarkCounts = Readonly<Record<MarkKind, number>>;

/** How much an object's counters change. */
export interface CounterDelta extends ObjectRef, MarkCounts {}

/** The outcome of one operation: its error, or what its user sees right after it. */
export type OperationOutcome =
  | { readonly error: DomainError }
  | (OwnMarks & {
      /** How much later operations of the group change the object's counters. */
      readonly later: MarkCounts;
    });

/** What a group of operations changes. */
export interface MarkChanges {
  /** Sorted in the order in which all groups lock. */
  readonly records: Readonly<Record<MarkKind, readonly RecordChange[]>>;
  /** Of the objects whose counters change, sorted likewise. */
  readonly deltas: readonly CounterDelta[];
  /** In the order of the operations. */
  readonly outcomes: readonly OperationOutcome[];
  /** The state of every mark of the group, changed or not. */
  readonly marks: readonly MarkState[];
}

const NONE: MarkCounts = { like: 0, collect: 0 };

/**
 * Carries a group of operations out in memory, one after another: each one finds what the one before
 * it left, and gets an outcome of its own. An operation on a folder that does not exist fails alone.
 */
export function decide(operations: readonly MarkOperation[], locked: LockedMarks): MarkChanges {
  const now = { like: new Map(locked.like), collect: new Map(locked.collect) };
  const totals = new Map<string, MarkCounts>();
  const steps = operations.map((operation) => {
    const error = faultOf(operation, locked);
    if (error) return { operation, error };
    const key = keyOfMark(operation);
    const { record, delta } = transition(now[operation.kind].get(key) ?? NO_RECORD, operation);
    if (record.version > 0) now[operation.kind].set(key, record);
    const before = totals.get(keyOfObject(operation)) ?? NONE;
    const after = { ...before, [operation.kind]: before[operation.kind] + delta };
    totals.set(keyOfObject(operation), after);
    return {
      operation,
      liked: now.like.get(key)?.on ?? false,
      collected: now.collect.get(key)?.on ?? false,
      after,
    };
  });
  const marks = marksOf(operations);
  return {
    records: { like: changesOf('like'), collect: changesOf('collect') },
    deltas: objectsOf(operations)
      .map((object) => ({ ...object, ...(totals.get(keyOfObject(object)) ?? NONE) }))
      .filter(({ like, collect }) => like !== 0 || collect !== 0),
    outcomes: steps.map((step) => {
      if (step.error) return { error: step.error };
      const { liked, collected, after } = step;
      const total = totals.get(keyOfObject(step.operation)) ?? NONE;
      const later = { like: total.like - after.like, collect: total.collect - after.collect };
      return { liked, collected, later };
    }),
    marks: marks.map((mark) => ({
      ...mark,
      like: stateOf(now.like.get(keyOfMark(mark))),
      collect: stateOf(now.collect.get(keyOfMark(mark))),
    })),
  };

  function changesOf(kind: MarkKind): RecordChange[] {
    return marks.flatMap((mark) => {
      const before = locked[kind].get(keyOfMark(mark));
      const record = now[kind].get(keyOfMark(mark));
      if (!record || record.version === before?.version) return [];
      return [{ ...mark, record, isNew: before === undefined }];
    });
  }
}

const stateOf = ({ on, version }: MarkRecord = NO_RECORD) => ({ on, version });

function faultOf(operation: MarkOperation, { folders }: LockedMarks): DomainError | undefined {
  if (operation.kind === 'like' || !operation.on) return undefined;
  const { uid, collectionId } = operation;
  return folders.has(keyOfFolder(uid, collectionId))
    ? undefined
    : new CollectionNotFoundError(collectionId);
}
