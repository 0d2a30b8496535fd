import type { BulkValue } from './database';

/** The end of a list's statement, after the equalities of its WHERE clause, and the values it takes. */
export interface PageClause {
  readonly sql: string;
  readonly values: readonly BulkValue[];
}

/**
 * One page of a list, newest first. The first condition is a range of the index; the rest leaves out
 * what was already shown of that millisecond. A row comparison would say the same, but neither MySQL
 * nor MariaDB uses an index range for it.
 * @param columns the time, then what orders rows of an equal time; the index has them in this order
 * @param position the columns' values in the last row that was shown; null for the first page
 * @param limit how many rows
 */
export function newestFirst<const Columns extends readonly string[]>(
  columns: Columns,
  position: { readonly [Index in keyof Columns]: string | number } | null,
  limit: number,
): PageClause {
  const order = `ORDER BY ${columns.map((column) => `${column} DESC`).join(', ')} LIMIT ?`;
  if (position === null) return { sql: order, values: [limit] };
  const [time, ...ties] = columns as readonly string[];
  const [at, ...shown] = position as unknown as readonly (string | number)[];
  const below = [`${time} < ?`];
  const values: BulkValue[] = [at as number, at as number];
  for (let tie = 0; tie < ties.length; tie++) {
    const equal = ties.slice(0, tie).map((column) => `${column} = ?`);
    const less = [...equal, `${ties[tie]} < ?`].join(' AND ');
    below.push(tie === 0 ? less : `(${less})`);
    values.push(...shown.slice(0, tie + 1).map((value) => value as BulkValue));
  }
  return {
    sql: `AND ${time} <= ? AND (${below.join(' OR ')}) ${order}`,
    values: [...values, limit],
  };
}
