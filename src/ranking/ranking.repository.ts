import { Injectable } from '@nestjs/common';
import { Database, type HotStatement } from '../platform/database';
import type { RankedState } from './board';
import { ranked } from './board-definition';
import type { TableTop } from './ranking.cache';
import type { CountColumn, CountedRow, RankedRow } from './ranked-row';

const COLUMNS = 'id, biz_id, biz, read_cnt, like_cnt, collect_cnt, version';

const IDS_PER_STATEMENT = 1_000;

/** Articles that were published longer ago are not on `hot`. */
const HOT_MAX_AGE_MS = 7 * 24 * 3_600_000;

/** The `published_articles.status` of articles that readers can no longer see. */
const WITHDRAWN = 3;

/** A state that was read from the database is newer than any change received before. */
const NEWEST = Number.MAX_SAFE_INTEGER;

const CURRENT = `SELECT ${COLUMNS} FROM interactives WHERE id IN (?)`;

const INDEXES: Readonly<Record<CountColumn, string>> = {
  read_cnt: 'idx_interactives_reads',
  like_cnt: 'idx_interactives_likes',
  collect_cnt: 'idx_interactives_collects',
};

/** The index is forced: with old statistics MySQL may sort the whole table instead. */
const topBy = (column: CountColumn, limit: number): string =>
  `SELECT ${COLUMNS} FROM interactives FORCE INDEX (${INDEXES[column]})
   ORDER BY ${column} DESC, id DESC LIMIT ${limit}`;

const hotBy = (limit: number): string =>
  `SELECT i.id, i.biz_id, i.biz, i.read_cnt, i.like_cnt, i.collect_cnt, i.version,
          (i.like_cnt - 1) / POW(GREATEST(? - p.ctime, 0) / 1000 + 2, 1.5) AS score
     FROM published_articles p
     JOIN interactives i ON i.biz_id = p.id AND i.biz = 'article'
    WHERE p.ctime >= ? AND p.status <> ?
    ORDER BY score DESC, i.id DESC
    LIMIT ${limit}`;

@Injectable()
export class RankingRepository {
  constructor(private readonly database: Database) {}

  /**
   * Waits until every transaction whose changes were captured so far is visible to queries.
   *
   * A change is captured from the binlog before its transaction is committed in InnoDB, so a query may
   * still miss a change that the log already contains. Commits follow the order of the binlog: when a
   * write that is made now has committed, all writes before it have.
   */
  async awaitCaptured(board: string): Promise<void> {
    await this.database.transaction((tx) =>
      tx.change(
        'INSERT INTO ranking_loads (board, loads) VALUES (?, 1) ON DUPLICATE KEY UPDATE loads = loads + 1',
        [board],
      ),
    );
  }

  /** The best rows by a count, read backwards from its index, and the next row after them. */
  async top(column: CountColumn, limit: number): Promise<TableTop> {
    const rows = await this.database.rows<CountedRow>(topBy(column, limit + 1));
    const best = rows.map((row) => ranked(countedRow(row), column));
    return { rows: best.slice(0, limit), floor: best[limit] ?? null };
  }

  /** The current states of these rows; a row that does not exist counts as deleted. */
  async current(column: CountColumn, ids: readonly number[]): Promise<RankedState[]> {
    const byId = new Map<number, RankedRow>();
    for (let i = 0; i < ids.length; i += IDS_PER_STATEMENT)
      for (const row of await this.database.queryRows<CountedRow>(CURRENT, [
        ids.slice(i, i + IDS_PER_STATEMENT),
      ]))
        byId.set(Number(row.id), ranked(countedRow(row), column));
    return ids.map((id) => ({ id, row: byId.get(id) ?? null, basis: NEWEST }));
  }

  /**
   * Recently published articles by likes, which count less with age. Hacker News' formula:
   * (likes - 1) / (age in seconds + 2) ^ 1.5. Both tables are part of
   * the contract with other programs.
   * @param now milliseconds since the epoch
   */
  async hot(limit: number, now: number): Promise<RankedRow[]> {
    const rows = await this.database.rows<RankedRow>(hotBy(limit), [
      now,
      now - HOT_MAX_AGE_MS,
      WITHDRAWN,
    ]);
    return rows.map((row) => ({ ...countedRow(row), score: Number(row.score) }));
  }
}

/** The driver returns numbers beyond 2^53 as text. With a fixed order of keys equal rows are equal JSON. */
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

const now = Date.UTC(2026, 0);

export const hotStatements: readonly HotStatement[] = [
  { name: 'board by likes', sql: topBy('like_cnt', 151), params: [] },
  { name: 'board by reads', sql: topBy('read_cnt', 151), params: [] },
  { name: 'board by collects', sql: topBy('collect_cnt', 151), params: [] },
  { name: 'current rows of a board', sql: CURRENT, params: [[1, 2]] },
  { name: 'hot board', sql: hotBy(100), params: [now, now - HOT_MAX_AGE_MS, WITHDRAWN] },
];
