import { Matches, type ValidationOptions } from 'class-validator';

/** A business object, e.g. article 42. */
export interface ObjectRef {
  readonly biz: string;
  readonly bizId: number;
}

/** Identifies an object in maps and in keys; a `biz` contains no colon. */
export const keyOfObject = ({ biz, bizId }: ObjectRef): string => `${biz}:${bizId}`;

/**
 * The order of the counters' unique index (biz_id, biz). Every transaction locks objects in this
 * order, so that two of them rarely deadlock.
 */
export const byObject = (a: ObjectRef, b: ObjectRef): number =>
  compare(a.bizId, b.bizId) || compare(a.biz, b.biz);

const compare = (a: string | number, b: string | number): number => (a < b ? -1 : a > b ? 1 : 0);

/** The name of a kind of business object, e.g. `article`. */
export const BIZ_PATTERN = /^[a-z][a-z0-9_-]{0,31}$/;
export const BIZ_RULE = 'must be 1 to 32 characters of a-z, 0-9, _ and -, starting with a letter';

/** A field of a body or query that names a kind of business object. */
export function IsBiz(options?: ValidationOptions): PropertyDecorator {
  return Matches(BIZ_PATTERN, { message: BIZ_RULE, ...options });
}
