import { Injectable } from '@nestjs/common';
import { Database } from '../platform/database';
import type { RankedState } from './board';
import { ranked } from './board-definition';
import type { TableTop } from './ranking.cache';
import type { CountColumn, CountedRow, RankedRow } from './ranked-row';

const COLUMNS = 'id, biz_id, biz, read_cnt, like_cnt, collect_cnt, version';

/** Ids of one statement. */
const CHUNK = 1_000;

/** Milliseconds: articles published longer ago are not looked at for `hot`. */
const RECENT = 7 * 24 * 3_600_000;

/** `published_articles.status` of what readers cannot see any more. */
const WITHDRAWN = 3;

/** A state that was read from the database is newer than any change received before. */
const NEWEST = Number.MAX_SAFE_INTEGER;

@Injectable()
export class RankingRepository {
  constructor(private readonly database: Database) {}

  /**
   * Waits until every transaction whose change was captured so far can be seen by a query.
   *
   * A change is captured from the binlog before its transaction is committed in InnoDB, so a query
   * may still miss what the change log has told already. Commits happen in the order of the binlog:
   * when a write made now has committed, all those before it have.
   */
  async awaitCaptured(board: string): Promise<void> {
    await this.database.transaction((tx) =>
      tx.change(
        'INSERT INTO ranking_loads (board, loads) VALUES (?, 1) ON DUPLICATE KEY UPDATE loads = loads + 1',
        [board],
      ),
    );
  }

  /** The best rows by a count, read backwards from its index, and the best one behind them. */
  async top(column: CountColumn, limit: number): Promise<TableTop> {
    const rows = await this.database.rows<CountedRow>(
      `SELECT ${COLUMNS} FROM interactives ORDER BY ${column} DESC, id DESC LIMIT ${limit + 1}`,
    );
    const best = rows.map((row) => ranked(countedRow(row), column));
    return { rows: best.slice(0, limit), floor: best[limit] ?? null };
  }

  /** The states that these rows have now; those that do not exist are states of deletion. */
  async current(column: CountColumn, ids: readonly number[]): Promise<RankedState[]> {
    const byId = new Map<number, RankedRow>();
    for (let i = 0; i < ids.length; i += CHUNK)
      for (const row of await this.database.bulkRows<CountedRow>(
        `SELECT ${COLUMNS} FROM interactives WHERE id IN (?)`,
        [ids.slice(i, i + CHUNK)],
      ))
        byId.set(Number(row.id), ranked(countedRow(row), column));
    return ids.map((id) => ({ id, row: byId.get(id) ?? null, basis: NEWEST }));
  }

  /**
   * Recently published articles by likes that fade with age, Hacker News' formula:
   * (likes - 1) / (age in seconds + 2) ^ 1.5. Reads two tables that are part of the contract.
   * @param now milliseconds since the epoch
   */
  async hot(limit: number, now: number): Promise<RankedRow[]> {
    const rows = await this.database.rows<RankedRow>(
      `SELECT i.id, i.biz_id, i.biz, i.read_cnt, i.like_cnt, i.collect_cnt, i.version,
              (i.like_cnt - 1) / POW(GREATEST(? - p.ctime, 0) / 1000 + 2, 1.5) AS score
         FROM published_articles p
         JOIN interactives i ON i.biz_id = p.id AND i.biz = 'article'
        WHERE p.ctime >= ? AND p.status <> ?
        ORDER BY score DESC, i.id DESC
        LIMIT ${limit}`,
      [now, now - RECENT, WITHDRAWN],
    );
    return rows.map((row) => ({ ...countedRow(row), score: Number(row.score) }));
  }
}

/** The driver gives numbers beyond 2^53 as text; the order of the keys makes equal rows equal text. */
function countedRow(row: CountedRow): CountedRow {
  return {
    id: Number(row.id),
    biz_id: Number(row.biz_id),
    biz: row.biz,
    read_cnt: Number(row.read_cnt),
    like_cnt: Number(row.like_cnt),
    collect_cnt: Number(row.collect_cnt),
    version: Number(row.version),
  };
}
