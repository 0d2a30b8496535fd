/** What a user may set on an object. */
export type MarkKind = 'like' | 'collect';

/** A user's mark of one kind on one object, as its row has it; version 0 when there is no row. */
export interface MarkRecord {
  readonly on: boolean;
  /** The folder it is (or last was) in; null for likes and where there is no row. */
  readonly collectionId: number | null;
  readonly version: number;
}

interface Target {
  readonly uid: number;
  readonly biz: string;
  readonly bizId: number;
}

export interface LikeOperation extends Target {
  readonly kind: 'like';
  readonly on: boolean;
}

/** Puts the object into a folder of the user, from another one if it is there. */
export interface CollectOperation extends Target {
  readonly kind: 'collect';
  readonly on: true;
  readonly collectionId: number;
}

/** Takes the object out of its folder; with `onlyFrom`, only if it is in that one. */
export interface UncollectOperation extends Target {
  readonly kind: 'collect';
  readonly on: false;
  readonly onlyFrom?: number;
}

export type MarkOperation = LikeOperation | CollectOperation | UncollectOperation;

export interface Transition {
  readonly record: MarkRecord;
  /** What it does to the object's counter. */
  readonly delta: -1 | 0 | 1;
}

export const NO_RECORD: MarkRecord = { on: false, collectionId: null, version: 0 };

/**
 * What an operation makes of a record. Setting what is set, or taking back what is not there,
 * returns the very same record; anything else raises its version. Only a change of `on` moves the
 * counter, so repeats never count twice and a move between folders counts nothing.
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
  const elsewhere = onlyFrom !== undefined && onlyFrom !== record.collectionId;
  if (!record.on || elsewhere) return { record, delta: 0 };
  return changed(record, false, record.collectionId);
}

function changed(record: MarkRecord, on: boolean, collectionId: number | null): Transition {
  return {
    record: { on, collectionId, version: record.version + 1 },
    delta: record.on === on ? 0 : on ? 1 : -1,
  };
}
