import { Injectable } from '@nestjs/common';
import { Database, type HotStatement, newestFirst, type SqlRunner } from '../platform/database';

/** A user has read an object. */
export interface Reading {
  readonly uid: number;
  readonly biz: string;
  readonly bizId: number;
  /** Milliseconds since the epoch. */
  readonly readAt: number;
}

/** The sort columns of the last entry of the previous page. */
export type HistoryPosition = readonly [readAt: number, biz: string, bizId: number];

/** Rows of one INSERT. */
const ROWS_PER_INSERT = 1_000;

const NEWEST = 'SELECT biz, biz_id, read_at FROM reading_history WHERE uid = ?';
const FORGET = 'DELETE FROM reading_history WHERE uid = ? AND biz = ? AND biz_id = ?';
const FORGET_SOME = 'DELETE FROM reading_history WHERE uid = ? LIMIT ?';

const pageOf = (position: HistoryPosition | null, limit: number) =>
  newestFirst(['read_at', 'biz', 'biz_id'], position, limit);

/** The SQL of the reading history. */
@Injectable()
export class HistoryRepository {
  constructor(private readonly database: Database) {}

  /** Stores the latest reading of each object. Sorted: two writers must lock in one order. */
  async save(tx: SqlRunner, readings: readonly Reading[]): Promise<void> {
    const sorted = [...readings].sort(
      (a, b) => a.uid - b.uid || (a.biz < b.biz ? -1 : a.biz > b.biz ? 1 : 0) || a.bizId - b.bizId,
    );
    for (let i = 0; i < sorted.length; i += ROWS_PER_INSERT) {
      const rows = sorted
        .slice(i, i + ROWS_PER_INSERT)
        .map(({ uid, biz, bizId, readAt }) => [uid, biz, bizId, readAt]);
      await tx.queryChange(
        `INSERT INTO reading_history (uid, biz, biz_id, read_at) VALUES ?
         ON DUPLICATE KEY UPDATE read_at = GREATEST(read_at, VALUES(read_at))`,
        [rows],
      );
    }
  }

  /** The user's readings after a position, newest first. */
  async newest(
    uid: number,
    position: HistoryPosition | null,
    limit: number,
  ): Promise<Omit<Reading, 'uid'>[]> {
    const page = pageOf(position, limit);
    const rows = await this.database.queryRows<{ biz: string; biz_id: number; read_at: number }>(
      `${NEWEST} ${page.sql}`,
      [uid, ...page.values],
    );
    return rows.map((row) => ({ biz: row.biz, bizId: row.biz_id, readAt: row.read_at }));
  }

  async forget(uid: number, biz: string, bizId: number): Promise<void> {
    await this.database.change(FORGET, [uid, biz, bizId]);
  }

  /** Deletes at most `limit` of the user's readings. @returns how many it has deleted */
  async forgetSome(uid: number, limit: number): Promise<number> {
    const { affectedRows } = await this.database.change(FORGET_SOME, [uid, limit]);
    return affectedRows;
  }
}

const page = pageOf([Date.UTC(2026, 0), 'article', 42], 21);

export const hotStatements: readonly HotStatement[] = [
  { name: 'own readings, first page', sql: `${NEWEST} ${pageOf(null, 21).sql}`, params: [1, 21] },
  { name: 'own readings, next page', sql: `${NEWEST} ${page.sql}`, params: [1, ...page.values] },
  { name: 'forget a reading', sql: FORGET, params: [1, 'article', 42] },
  { name: 'forget many readings', sql: FORGET_SOME, params: [1, 5_000] },
];
