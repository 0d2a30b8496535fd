import { LRUCache } from 'lru-cache';
import type { RankedRowDto } from './dto/ranked-row.dto';
import type { SharedBoard } from './shared-board';
import type { RankedRow } from './ranked-row';

/** For how many lengths of a board the text is kept. */
const KEPT_LENGTHS = 8;

interface Answer {
  readonly revision: number;
  readonly json: string;
  /** The same with the board's name in it. */
  readonly named: string;
}

/** The answers of a board's route: created once per change, however many clients ask. */
export class BoardFeed {
  private readonly answers = new LRUCache<number, Answer>({ max: KEPT_LENGTHS });

  constructor(private readonly board: SharedBoard) {}

  /** The answer as JSON text; the same strings as before when nothing has changed. */
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

/** A row as clients see it: without the version, which is internal. */
export function shown(row: RankedRow): RankedRowDto {
  const { id, biz_id, biz, read_cnt, like_cnt, collect_cnt, score } = row;
  return { id, biz_id, biz, read_cnt, like_cnt, collect_cnt, score };
}
