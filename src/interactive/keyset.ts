import type { BulkValue } from '../platform/database';

/** The place of an object in a list of marked objects, newest first. */
export type MarkPosition = readonly [markedAt: number, biz: string, bizId: number];

/** What follows the equalities of a list's WHERE clause, and the values it takes. */
export interface PageClause {
  readonly sql: string;
  readonly values: readonly BulkValue[];
}

/**
 * A page of a list of objects of all kinds. The first condition is a range of the index, the rest
 * takes out what was shown already of that millisecond: a row comparison would say the same, but
 * neither MySQL nor MariaDB seeks by one.
 */
export function newestFirst(position: MarkPosition | null, limit: number): PageClause {
  const order = 'ORDER BY utime DESC, biz DESC, biz_id DESC LIMIT ?';
  if (position === null) return { sql: order, values: [limit] };
  const [at, biz, bizId] = position;
  return {
    sql: `AND utime <= ? AND (utime < ? OR biz < ? OR (biz = ? AND biz_id < ?)) ${order}`,
    values: [at, at, biz, biz, bizId, limit],
  };
}

/** Likewise for a list of one kind; with `biz` in its order, MariaDB would sort it. */
export function newestOfBizFirst(position: MarkPosition | null, limit: number): PageClause {
  const order = 'ORDER BY utime DESC, biz_id DESC LIMIT ?';
  if (position === null) return { sql: order, values: [limit] };
  const [at, , bizId] = position;
  return {
    sql: `AND utime <= ? AND (utime < ? OR biz_id < ?) ${order}`,
    values: [at, at, bizId, limit],
  };
}
