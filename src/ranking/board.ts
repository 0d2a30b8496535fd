import { IndexedMinHeap } from './indexed-min-heap';
import { byRank, type Place, type RankedRow, ranksAbove } from './ranked-row';

/** How many rows a board shows and how many it keeps. */
export interface BoardShape {
  /** Rows shown, N. */
  readonly size: number;
  /** Rows kept: N, and a reserve that replaces rows that fall or are deleted. */
  readonly capacity: number;
  /**
   * A board with fewer rows than this is refilled, unless it holds the whole table. Greater than N, so
   * that the N shown rows are right while the refill is under way.
   */
  readonly refillBelow: number;
}

export function boardShape(size: number): BoardShape {
  const reserve = Math.max(50, Math.ceil(size / 2));
  return { size, capacity: size + reserve, refillBelow: size + Math.ceil(reserve / 4) };
}

/** A state of one row of the table. */
export interface RankedState {
  readonly id: number;
  /** Null when the row was deleted. */
  readonly row: RankedRow | null;
  /**
   * The greatest version in the changes that led to this state. When it is lower than the version of
   * the row on the board, the state is older and ignored. An equal one applies, since other programs
   * change rows without raising the version.
   */
  readonly basis: number;
}

/** The whole content of a board, as copied from Redis. */
export interface BoardContent {
  readonly rows: readonly RankedRow[];
  readonly floor: Place | null;
  readonly open: boolean;
  /** Rows kept: more than this process's shape says when another process needs more. */
  readonly capacity: number;
}

/**
 * The best rows of a table, exact under increments, decrements, insertions, deletions and replays.
 *
 * Invariant: every row of the table that ranks above the floor is on the board, and no other row is.
 * Rows that rise above the floor enter; rows that fall to it or below leave; when there are more than
 * `capacity` rows the lowest are evicted, and the best evicted one is the new floor. So a change of a
 * row outside matters only when the row rises above the floor, which is one comparison. Without a
 * floor the whole table is on the board.
 *
 * While a board is open, from the start of a refill to its end, it has no floor and accepts every
 * row, so that no change between the two is lost.
 */
export class Board {
  private readonly rows = new IndexedMinHeap<RankedRow>();
  private best: RankedRow[] | null = [];
  private lowestOutside: Place | null = null;
  private accepting = false;
  private capacity: number;

  constructor(readonly shape: BoardShape) {
    this.capacity = shape.capacity;
  }

  get count(): number {
    return this.rows.size;
  }

  /** The best row that is known to be outside; null when no row is. */
  get floor(): Place | null {
    return this.lowestOutside;
  }

  get open(): boolean {
    return this.accepting;
  }

  /** Whether so few rows are left that a refill is needed, and the table has more. */
  get lacking(): boolean {
    return !this.accepting && this.floor !== null && this.count < this.shape.refillBelow;
  }

  get(id: number): RankedRow | undefined {
    return this.rows.get(id);
  }

  /** Whether the state can change the board: its row is on it, or ranks above the floor. */
  matters(state: Pick<RankedState, 'id' | 'row'>): boolean {
    if (this.accepting || this.rows.get(state.id) !== undefined) return true;
    return state.row !== null && this.isAboveFloor(state.row);
  }

  /** Applies the states of one batch, which has at most one state of each row. */
  apply(states: readonly RankedState[]): void {
    for (const state of states) this.applyOne(state);
    if (!this.accepting) this.trim();
  }

  /** Begins a refill: every row is accepted until the board is restored. */
  openUp(): void {
    this.accepting = true;
    this.lowestOutside = null;
  }

  /** Replaces the whole content. */
  restore({ rows, floor, open, capacity }: BoardContent): void {
    this.rows.clear();
    for (const row of rows) this.rows.set(row);
    this.lowestOutside = floor;
    this.accepting = open;
    this.capacity = capacity;
    this.best = null;
  }

  /** The best rows in rank order: at most `limit`, and only rows that are shown. */
  top(limit: number): readonly RankedRow[] {
    return this.ordered().slice(0, Math.min(limit, this.shape.size));
  }

  /** The rank, from 1, of a row that is shown; null for any other. */
  rankOf(id: number): number | null {
    const row = this.rows.get(id);
    if (row === undefined) return null;
    const ordered = this.ordered();
    let low = 0;
    let high = ordered.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (ranksAbove(ordered[middle] as RankedRow, row)) low = middle + 1;
      else high = middle;
    }
    return low < this.shape.size ? low + 1 : null;
  }

  private applyOne({ id, row, basis }: RankedState): void {
    const present = this.rows.get(id);
    if (present !== undefined && basis < present.version) return;
    if (row !== null && this.isAboveFloor(row)) {
      this.rows.set(row);
      this.best = null;
    } else if (this.rows.delete(id)) {
      this.best = null;
    }
  }

  private trim(): void {
    while (this.rows.size > this.capacity) {
      this.lowestOutside = this.rows.pop() as RankedRow;
      this.best = null;
    }
  }

  private isAboveFloor(row: Place): boolean {
    return this.lowestOutside === null || ranksAbove(row, this.lowestOutside);
  }

  private ordered(): RankedRow[] {
    this.best ??= [...this.rows.values()].sort(byRank);
    return this.best;
  }
}
