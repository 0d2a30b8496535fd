import type { RowChange, RowImage } from '../cdc/row-change';
import type { CountedRow } from './ranked-row';

const TABLE = 'interactives';

/** The state a row of `interactives` was left in by the changes of a batch. */
export interface RowState {
  readonly id: number;
  /** Null when it was deleted. */
  readonly row: CountedRow | null;
  /** The greatest version in any of its images, so that a delete outranks what it deletes. */
  readonly basis: number;
}

/**
 * Folds the changes of a batch into one absolute state per row, the last one: what happened between
 * does not matter to a board.
 * @param database name of the schema; the rows of others are skipped
 */
export function lastStates(changes: Iterable<RowChange>, database: string): RowState[] {
  const states = new Map<number, RowState>();
  for (const change of changes) {
    if (change.table !== TABLE || change.database !== database) continue;
    for (const state of statesOf(change)) {
      const earlier = states.get(state.id);
      // Deleting first keeps the order of the last changes, not of the first ones.
      states.delete(state.id);
      const basis = Math.max(state.basis, earlier?.basis ?? 0);
      states.set(state.id, { ...state, basis });
    }
  }
  return [...states.values()];
}

function statesOf({ before, after }: RowChange): RowState[] {
  const image = after ?? before;
  if (image === null) return [];
  const row = after === null ? null : countedRow(after);
  const id = numberIn(image, 'id');
  const versions = [before, after].map((each) => (each === null ? 0 : versionOf(each)));
  const basis = Math.max(...versions);
  const formerId = before === null ? id : numberIn(before, 'id', id);
  // An UPDATE of the primary key is the end of one row and the beginning of another.
  return formerId === id
    ? [{ id, row, basis }]
    : [
        { id: formerId, row: null, basis },
        { id, row, basis },
      ];
}

function countedRow(image: RowImage): CountedRow {
  return {
    id: numberIn(image, 'id'),
    biz_id: numberIn(image, 'biz_id'),
    biz: image['biz'] ?? '',
    read_cnt: numberIn(image, 'read_cnt'),
    like_cnt: numberIn(image, 'like_cnt'),
    collect_cnt: numberIn(image, 'collect_cnt'),
    version: versionOf(image),
  };
}

function versionOf(image: RowImage): number {
  return numberIn(image, 'version', 0);
}

/** @throws Error when the column is missing and has no fallback: the table is not the expected one */
function numberIn(image: RowImage, column: string, fallback?: number): number {
  const text = image[column];
  if (text === null || text === undefined) {
    if (fallback !== undefined) return fallback;
    throw new Error(`a change of ${TABLE} has no ${column}`);
  }
  return Number(text);
}
