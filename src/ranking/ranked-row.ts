/** The columns by which a board can be ordered. */
export type CountColumn = 'read_cnt' | 'like_cnt' | 'collect_cnt';

/** A row of `interactives` as boards know it. Names are the columns' own, as in the answers. */
export interface CountedRow {
  readonly id: number;
  readonly biz_id: number;
  readonly biz: string;
  readonly read_cnt: number;
  readonly like_cnt: number;
  readonly collect_cnt: number;
  /** Raised in every UPDATE of the program; writers outside may leave it. */
  readonly version: number;
}

/** A row with what a board orders it by. */
export interface RankedRow extends CountedRow {
  readonly score: number;
}

/** A place in the order of a board. */
export type Place = Pick<RankedRow, 'id' | 'score'>;

/** Sorts best first: the greater score, of equal ones the higher id. */
export function byRank(a: Place, b: Place): number {
  return b.score - a.score || b.id - a.id;
}

/** Whether `a` stands above `b`. */
export function ranksAbove(a: Place, b: Place): boolean {
  return byRank(a, b) < 0;
}
