/** A column's value in Canal's text form: numbers as decimal text (64-bit exact), NULL as null. */
export type RowImage = Readonly<Record<string, string | null>>;

/**
 * The place of a binlog event; totally ordered per server by (file, offset). All rows of one event
 * share it: their `ordinal` orders them.
 */
export interface ChangePosition {
  readonly serverId: number;
  readonly file: string;
  readonly offset: number;
}

/** One captured change of the binlog, in the same form whether Canal or the relay sent it. */
export interface RowChange {
  readonly database: string;
  readonly table: string;
  /**
   * A `rewrite` is not about one row: DDL such as TRUNCATE may have removed or replaced any row of
   * the table, without a change for each.
   */
  readonly kind: 'insert' | 'update' | 'delete' | 'rewrite';
  /** The row before; null for an insert and a rewrite. */
  readonly before: RowImage | null;
  /** The row after; null for a delete and a rewrite. */
  readonly after: RowImage | null;
  /** Null when it came as Canal's flat JSON, which has none. */
  readonly position: ChangePosition | null;
  /**
   * The row's index within its binlog event, so that (position, ordinal) orders all rows. The relay
   * counts the rows of the whole event; with Canal it is the index among the event's rows in the
   * same message. 0 for a rewrite.
   */
  readonly ordinal: number;
  /** Milliseconds since the epoch of the commit, of one-second resolution. */
  readonly executedAt: number;
}
