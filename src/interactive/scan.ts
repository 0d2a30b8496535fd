import type { SqlRunner } from '../platform/database';

/** Some of what a scan finds, and how far it has come with them. */
export interface Scanned<Item> {
  readonly items: readonly Item[];
  /** How many were looked at for them. */
  readonly seen: number;
  /** How much of the whole is behind: above 0, at most 1. */
  readonly share: number;
}

/** Rows of one statement. */
export const CHUNK = 500;

/** The values of a column from the first to the last one; none when `last` is below `first`. */
export interface Bounds {
  readonly first: number;
  readonly last: number;
}

export async function boundsOf(sql: SqlRunner, table: string, column: string): Promise<Bounds> {
  const [row] = await sql.rows<{ low: number | null; high: number | null }>(
    `SELECT MIN(${column}) AS low, MAX(${column}) AS high FROM ${table}`,
  );
  return { first: row?.low ?? 0, last: row?.high ?? -1 };
}

/** How much of the bounds is over when `at` was reached. */
export const shareOf = (at: number, { first, last }: Bounds): number =>
  (at - first + 1) / (last - first + 1);

/**
 * The rows of `interactives` in the order of their ids, without those that are made meanwhile.
 * @param statement takes the id behind which rows are wanted, the last one wanted, and how many
 */
export async function* scanCounters<Row extends { id: number | null }>(
  sql: SqlRunner,
  statement: string,
): AsyncGenerator<Scanned<Row>> {
  const bounds = await boundsOf(sql, 'interactives', 'id');
  for (let after = bounds.first - 1; after < bounds.last;) {
    const items = await sql.rows<Row>(statement, [after, bounds.last, CHUNK]);
    after = items.length < CHUNK ? bounds.last : (items.at(-1)?.id ?? bounds.last);
    yield { items, seen: items.length, share: shareOf(after, bounds) };
  }
}
