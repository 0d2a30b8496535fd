import { foldByRow, type TableChange } from '../cdc';
import type { CounterRow } from '../interactive';
import type { CountedRow } from './ranked-row';

/** The state of a row of `interactives` after the changes of a batch. */
export interface RowState {
  readonly id: number;
  /** Null when it was deleted. */
  readonly row: CountedRow | null;
  /** The greatest version in the changes that led to it, so that a deletion outranks its row. */
  readonly basis: number;
}

/** The last state of each row. */
export function lastStates(changes: readonly TableChange<CounterRow>[]): RowState[] {
  return foldByRow(changes, ({ id }) => id).map((row) => ({
    id: row.key,
    row: row.after && countedRow(row.after),
    basis: greatestVersion(row.changes),
  }));
}

function greatestVersion(changes: readonly TableChange<CounterRow>[]): number {
  let greatest = 0;
  for (const { before, after } of changes)
    greatest = Math.max(greatest, before?.version ?? 0, after?.version ?? 0);
  return greatest;
}

const countedRow = (row: CounterRow): CountedRow => ({
  id: row.id,
  biz_id: row.bizId,
  biz: row.biz,
  read_cnt: row.readCnt,
  like_cnt: row.likeCnt,
  collect_cnt: row.collectCnt,
  version: row.version,
});
