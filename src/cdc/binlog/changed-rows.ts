import type { ChangePosition, RowChange, RowImage } from '../row-change';

export interface ChangedRow {
  /** Index within the binlog event. */
  readonly ordinal: number;
  readonly before: RowImage | null;
  readonly after: RowImage | null;
}

/** Changes of one binlog event, which all belong to one table. */
export interface ChangedRows {
  readonly database: string;
  readonly table: string;
  readonly kind: RowChange['kind'];
  readonly position: ChangePosition;
  readonly executedAt: number;
  /** Why a rewrite is one. */
  readonly cause?: string | undefined;
  /** Empty for a rewrite. */
  readonly rows: readonly ChangedRow[];
}
