/** The columns by which a board can be ordered. */
export type CountColumn = 'read_cnt' | 'like_cnt' | 'collect_cnt';

/** A row of `interactives` on a board. The names are those of the columns, as in the HTTP answers. */
export interface CountedRow {
  readonly id: number;
  readonly biz_id: number;
  readonly biz: string;
  readonly read_cnt: number;
  readonly like_cnt: number;
  readonly collect_cnt: number;
  /** Raised by every UPDATE of this program; other programs may leave it unchanged. */
  readonly version: number;
}

/** A row with the score by which a board orders it. */
export interface RankedRow extends CountedRow {
  readonly score: number;
}

/** What decides a row's place in the order of a board. */
export type Place = Pick<RankedRow, 'id' | 'score'>;

/** Sorts the best first: the higher score, of equal scores the higher id. */
export function byRank(a: Place, b: Place): number {
  return b.score - a.score || b.id - a.id;
}

/** Whether `a` ranks above `b`. */
export function ranksAbove(a: Place, b: Place): boolean {
  return byRank(a, b) < 0;
}
