import type { ChangePosition } from '../row-change';
import type { ColumnReader } from './column-reader';

/** How a consumer reads the rows of one table, or of all shards of one. */
export interface TableReader<Row> {
  readonly tables: readonly string[];
  /** @throws Error naming the table, the column and the value that is not as expected */
  read(columns: ColumnReader): Row;
}

/** A captured change of one row, with its images read. */
export interface TableChange<Row> {
  readonly kind: 'insert' | 'update' | 'delete';
  /** Null for an insert. */
  readonly before: Row | null;
  /** Null for a delete. */
  readonly after: Row | null;
  /** Null when it came as Canal's flat JSON, which has none. */
  readonly position: ChangePosition | null;
  /** Orders the changes of one position; see `RowChange.ordinal`. */
  readonly ordinal: number;
}
