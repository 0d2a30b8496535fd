import type { RecordState } from '../model/mark';
import type { MarkOperation } from './mark-operation';

/** A user's record of one kind on one object, as its row has it; version 0 when there is no row. */
export interface MarkRecord extends RecordState {
  /** The folder that it is in, or was in last; null for likes and where there is no row. */
  readonly collectionId: number | null;
}

export const NO_RECORD: MarkRecord = { on: false, collectionId: null, version: 0 };

export interface Transition {
  readonly record: MarkRecord;
  /** The change of the object's counter. */
  readonly delta: -1 | 0 | 1;
}

/**
 * What an operation makes of a record. Setting what is set, or taking back what is not there, returns
 * the same record; every other operation raises its version. Only a change of `on` moves the counter:
 * repeats never count twice, and a move between folders counts nothing.
 */
export function transition(record: MarkRecord, operation: MarkOperation): Transition {
  if (operation.kind === 'like') {
    if (record.on === operation.on) return { record, delta: 0 };
    return changed(record, operation.on, null);
  }
  if (operation.on) {
    const { collectionId } = operation;
    if (record.on && record.collectionId === collectionId) return { record, delta: 0 };
    return changed(record, true, collectionId);
  }
  const { onlyFrom } = operation;
  const isElsewhere = onlyFrom !== undefined && onlyFrom !== record.collectionId;
  if (!record.on || isElsewhere) return { record, delta: 0 };
  return changed(record, false, record.collectionId);
}

function changed(record: MarkRecord, on: boolean, collectionId: number | null): Transition {
  return {
    record: { on, collectionId, version: record.version + 1 },
    delta: record.on === on ? 0 : on ? 1 : -1,
  };
}
