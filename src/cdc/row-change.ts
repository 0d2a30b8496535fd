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
  /** Empty when a rewrite or a statement is not known to be about one table. */
  readonly table: string;
  /**
   * A `rewrite` is not about one row: any row may have changed, without a change for each. DDL such as
   * TRUNCATE does that; it also stands in the place of changes that could not be read. A `statement`
   * is SQL that Canal passes on as text: `rewrittenTables` tells whether it is a rewrite.
   */
  readonly kind: 'insert' | 'update' | 'delete' | 'rewrite' | 'statement';
  /** The row before; null for an insert, a rewrite and a statement. Columns may be missing. */
  readonly before: RowImage | null;
  /** The row after; null for a delete, a rewrite and a statement. Columns may be missing. */
  readonly after: RowImage | null;
  /** Null when it came as Canal's flat JSON, which has none. */
  readonly position: ChangePosition | null;
  /**
   * The row's index within its binlog event, so that (position, ordinal) orders all rows. The relay
   * counts the rows of the whole event; with Canal it is the index among the event's rows in the
   * same message. 0 for a rewrite and a statement.
   */
  readonly ordinal: number;
  /** Milliseconds since the epoch of the commit, of one-second resolution. */
  readonly executedAt: number;
  /** A statement's SQL; why a rewrite is one, if known. */
  readonly cause?: string;
}
