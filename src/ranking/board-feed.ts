import { LRUCache } from 'lru-cache';
import type { RankedRowDto } from './dto/ranked-row.dto';
import type { LiveBoard } from './live-board';
import type { RankedRow } from './ranked-row';

/** How many lengths of a board are kept as text. */
const KEPT_LENGTHS = 8;

interface Answer {
  readonly revision: number;
  readonly json: string;
  /** The same with the board's name in it. */
  readonly named: string;
}

/** What a board looks like to those who ask for it: made once per change, however many ask. */
export class BoardFeed {
  private readonly answers = new LRUCache<number, Answer>({ max: KEPT_LENGTHS });

  constructor(private readonly board: LiveBoard) {}

  /** The answer of the board's route as JSON text; the same strings as long as it stays the same. */
  answer(limit: number): Answer {
    const { replica, definition } = this.board;
    const { revision } = replica;
    const known = this.answers.get(limit);
    if (known?.revision === revision) return known;
    const data = (replica.shown?.top(limit) ?? []).map(shown);
    const json = JSON.stringify({ code: 200, msg: 'ok', data });
    const texts =
      known?.json === json
        ? known
        : { json, named: `{"board":"${definition.name}",${json.slice(1)}` };
    const answer = { ...texts, revision };
    this.answers.set(limit, answer);
    return answer;
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
