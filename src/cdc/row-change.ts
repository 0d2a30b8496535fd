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

/** One change as captured from the binlog, whichever way it came. */
export interface RowChange {
  readonly database: string;
  readonly table: string;
  /**
   * A `rewrite` is no row's: DDL such as TRUNCATE, after which any row of the table may be gone or
   * another one without a change that tells.
   */
  readonly kind: 'insert' | 'update' | 'delete' | 'rewrite';
  /** The row before; null for an insert and a rewrite. */
  readonly before: RowImage | null;
  /** The row after; null for a delete and a rewrite. */
  readonly after: RowImage | null;
  /** Null when it came as Canal's flat JSON, which has none. */
  readonly position: ChangePosition | null;
  /** Milliseconds since the epoch of the commit, of one-second resolution. */
  readonly executedAt: number;
}
