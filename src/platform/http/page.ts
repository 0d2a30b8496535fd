import type { CursorValue } from './cursor';
import { encodeCursor } from './cursor';

/** One page of a keyset list. `nextCursor` is null on the last page. */
export interface Page<T> {
  items: T[];
  nextCursor: string | null;
}

/**
 * Builds a page from rows read with `LIMIT limit + 1`: the extra row only shows that more exist.
 * @param list the list's name with its filters, as passed to `decodeCursor`
 * @param positionOf the sort columns of a row, as `decodeCursor` returns them
 */
export function pageOf<Row, Item>(
  list: string,
  rows: readonly Row[],
  limit: number,
  positionOf: (row: Row) => readonly CursorValue[],
  itemOf: (row: Row) => Item,
): Page<Item> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const more = rows.length > limit && last !== undefined;
  return {
    items: shown.map(itemOf),
    nextCursor: more ? encodeCursor(list, positionOf(last)) : null,
  };
}
