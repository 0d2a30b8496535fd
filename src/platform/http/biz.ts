import { Matches, type ValidationOptions } from 'class-validator';

/** A business object, e.g. article 42. */
export interface ObjectRef {
  readonly biz: string;
  readonly bizId: number;
}

/** Names a kind of business object, e.g. `article`. */
export const BIZ_PATTERN = /^[a-z][a-z0-9_-]{0,31}$/;
export const BIZ_RULE = 'must be 1 to 32 characters a-z, 0-9, _ or -, the first a letter';

/** A body's or query's field that names a kind of business object. */
export function IsBiz(options?: ValidationOptions): PropertyDecorator {
  return Matches(BIZ_PATTERN, { message: BIZ_RULE, ...options });
}
