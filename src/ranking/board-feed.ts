import { LRUCache } from 'lru-cache';
import type { RankedRowDto } from './dto/ranked-row.dto';
import type { LiveBoard } from './live-board';
import type { RankedRow } from './ranked-row';

/** How many lengths of a board are kept as text. */
const KEPT_LENGTHS = 8;

interface Answer {
  readonly revision: number;
  readonly json: string;
}

/** What a board looks like to those who ask for it: made once per change, however many ask. */
export class BoardFeed {
  private readonly answers = new LRUCache<number, Answer>({ max: KEPT_LENGTHS });

  constructor(private readonly board: LiveBoard) {}

  /** The answer of the board's route as JSON text. */
  json(limit: number): string {
    const { revision, shown: board } = this.board.replica;
    const known = this.answers.get(limit);
    if (known?.revision === revision) return known.json;
    const data = (board?.top(limit) ?? []).map(shown);
    const json = JSON.stringify({ code: 200, msg: 'ok', data });
    this.answers.set(limit, { revision, json });
    return json;
  }

  /** Calls back after each change of the board, until the returned function is called. */
  onChange(listener: () => void): () => void {
    return this.board.replica.onChange(listener);
  }
}

/** A row as clients see it: without the version, which is the program's own affair. */
export function shown(row: RankedRow): RankedRowDto {
  const { id, biz_id, biz, read_cnt, like_cnt, collect_cnt, score } = row;
  return { id, biz_id, biz, read_cnt, like_cnt, collect_cnt, score };
}
