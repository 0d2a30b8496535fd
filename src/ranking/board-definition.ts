import { type BoardShape, boardShape } from './board';
import type { CountColumn, CountedRow, RankedRow } from './ranked-row';

/** A board that follows the table change by change. */
export interface LiveBoardDefinition {
  readonly name: string;
  readonly orderBy: CountColumn;
  readonly biz?: undefined;
}

/** A board that is computed at intervals, since its scores change without any write. */
export interface ScheduledBoardDefinition {
  readonly name: string;
  readonly orderBy: 'hot';
  /** The kind of object it ranks; the others rank all kinds. */
  readonly biz: string;
}

export type BoardDefinition = LiveBoardDefinition | ScheduledBoardDefinition;

export const LIVE_BOARDS: readonly LiveBoardDefinition[] = [
  { name: 'likes', orderBy: 'like_cnt' },
  { name: 'reads', orderBy: 'read_cnt' },
  { name: 'collects', orderBy: 'collect_cnt' },
];

export const HOT_BOARD: ScheduledBoardDefinition = {
  name: 'hot',
  orderBy: 'hot',
  biz: 'article',
};

/** A scheduled board is replaced as a whole, so it keeps no reserve. */
export function shapeOf(definition: BoardDefinition, size: number): BoardShape {
  return definition.orderBy === 'hot' ? { size, capacity: size, refillBelow: 0 } : boardShape(size);
}

/** The row as the board of that column ranks it. */
export function ranked(row: CountedRow, column: CountColumn): RankedRow {
  return { ...row, score: row[column] };
}
