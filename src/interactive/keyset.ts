import type { BulkValue } from '../platform/database';

/** The place of an object in a list of marked objects, newest first. */
export type MarkPosition = readonly [markedAt: number, biz: string, bizId: number];

/**
 * What follows the equalities of a list's WHERE clause. The first condition is a range of the
 * index, the rest takes out what was shown already of that millisecond: a row comparison would say
 * the same, but neither MySQL nor MariaDB seeks by one.
 */
export function newestFirst(
  position: MarkPosition | null,
  limit: number,
): { sql: string; values: BulkValue[] } {
  const order = 'ORDER BY utime DESC, biz DESC, biz_id DESC LIMIT ?';
  if (position === null) return { sql: order, values: [limit] };
  const [at, biz, bizId] = position;
  return {
    sql: `AND utime <= ? AND (utime < ? OR biz < ? OR (biz = ? AND biz_id < ?)) ${order}`,
    values: [at, at, biz, biz, bizId, limit],
  };
}
