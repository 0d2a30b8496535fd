import type { SqlRunner } from './database';

/** Some of what a scan finds, and how far it has come. */
export interface Scanned<Item> {
  readonly items: readonly Item[];
  /** How many rows or keys were read to find them. */
  readonly seen: number;
  /** The part of the whole that is done: above 0, at most 1. */
  readonly share: number;
}

/** Rows of one statement of a scan. */
export const SCAN_ROWS = 500;

/** A column's first and last value; `last` is below `first` when the table is empty. */
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

/** The part of the bounds that is done when `value` is reached: above 0, at most 1. */
export const shareOf = (value: number, { first, last }: Bounds): number =>
  (value - first + 1) / (last - first + 1);

/**
 * Reads the rows of a table in the order of their ids. Rows that are inserted meanwhile are left out.
 * @param statement takes the id after which rows are wanted, the last id that is wanted, and how many
 */
export async function* scanById<Row extends { id: number | null }>(
  sql: SqlRunner,
  table: string,
  statement: string,
): AsyncGenerator<Scanned<Row>> {
  const bounds = await boundsOf(sql, table, 'id');
  for (let after = bounds.first - 1; after < bounds.last;) {
    const items = await sql.rows<Row>(statement, [after, bounds.last, SCAN_ROWS]);
    after = items.length < SCAN_ROWS ? bounds.last : (items.at(-1)?.id ?? bounds.last);
    yield { items, seen: items.length, share: shareOf(after, bounds) };
  }
}
