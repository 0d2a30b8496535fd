/** A column's value in Canal's text form: numbers as decimal text (64-bit exact), NULL as null. */
export type RowImage = Readonly<Record<string, string | null>>;

/**
 * Where in the binlog a change stands; totally ordered per server by (file, offset). All rows of one
 * binlog event share it, so a row is identified by the position plus its primary key.
 */
export interface ChangePosition {
  readonly serverId: number;
  readonly file: string;
  readonly offset: number;
}

/** One row's change as captured from the binlog, whichever way it came. */
export interface RowChange {
  readonly database: string;
  readonly table: string;
  readonly kind: 'insert' | 'update' | 'delete';
  /** The row before; null for an insert. */
  readonly before: RowImage | null;
  /** The row after; null for a delete. */
  readonly after: RowImage | null;
  /** Null when it came as Canal's flat JSON, which has none. */
  readonly position: ChangePosition | null;
  /** Milliseconds since the epoch of the commit, of one-second resolution. */
  readonly executedAt: number;
}
