import { keyOfObject, type ObjectRef } from '../../platform/business-object';

/** What a user can set on an object. */
export type MarkKind = 'like' | 'collect';
export const MARK_KINDS: readonly MarkKind[] = ['like', 'collect'];

/** A user and an object. */
export interface MarkKey extends ObjectRef {
  readonly uid: number;
}

export const keyOfMark = (key: MarkKey): string => `${key.uid}:${keyOfObject(key)}`;

const compare = (a: string | number, b: string | number): number => (a < b ? -1 : a > b ? 1 : 0);

/** The order of the records' primary key. Every transaction locks in it, so deadlocks are rare. */
export const byMarkKey = (a: MarkKey, b: MarkKey): number =>
  compare(a.uid, b.uid) || compare(a.biz, b.biz) || compare(a.bizId, b.bizId);

/** A committed record, as far as readers need it. */
export interface RecordState {
  readonly on: boolean;
  /** Raised by every transition of the record; 0 when there is none. */
  readonly version: number;
}

/** The committed records of a user on an object. */
export interface MarkState extends MarkKey, Readonly<Record<MarkKind, RecordState>> {}

/** What users see of their own marks of an object. */
export interface OwnMarks {
  readonly liked: boolean;
  readonly collected: boolean;
}

export const ownMarksOf = ({ like, collect }: MarkState): OwnMarks => ({
  liked: like.on,
  collected: collect.on,
});
