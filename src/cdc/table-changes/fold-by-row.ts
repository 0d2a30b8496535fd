import type { TableChange } from './table-change';

/** What a batch of changes did to one row. */
export interface RowTransition<Row, Key> {
  readonly key: Key;
  /** The row before its first change; null when that change inserted it. */
  readonly before: Row | null;
  /** The row after its last change; null when that change deleted it. */
  readonly after: Row | null;
  /** The row as it was when it was last deleted, even if inserted again; null when it never was. */
  readonly deleted: Row | null;
  /** The changes of the row in their order. */
  readonly changes: readonly TableChange<Row>[];
}

/**
 * Joins the changes of each row, in the order of the rows' last changes. An update that changes the
 * key deletes one row and inserts another: the change is among those of both.
 * @param keyOf identifies a row; as for keys of a Map
 */
export function foldByRow<Row, Key>(
  changes: Iterable<TableChange<Row>>,
  keyOf: (row: Row) => Key,
): RowTransition<Row, Key>[] {
  const rows = new Map<Key, RowTransition<Row, Key> & { changes: TableChange<Row>[] }>();

  function note(key: Key, before: Row | null, after: Row | null, change: TableChange<Row>): void {
    const earlier = rows.get(key);
    // Removed first, since a Map keeps the order in which keys were first set.
    rows.delete(key);
    const all = earlier?.changes ?? [];
    all.push(change);
    rows.set(key, {
      key,
      before: earlier ? earlier.before : before,
      after,
      deleted: after === null ? before : (earlier?.deleted ?? null),
      changes: all,
    });
  }

  for (const change of changes) {
    const { before, after } = change;
    const formerKey = before === null ? undefined : keyOf(before);
    const key = after === null ? undefined : keyOf(after);
    if (before !== null && after !== null && formerKey === key)
      note(key as Key, before, after, change);
    else {
      if (before !== null) note(formerKey as Key, before, null, change);
      if (after !== null) note(key as Key, null, after, change);
    }
  }
  return [...rows.values()];
}
