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

const NEWEST = `SELECT biz, biz_id, read_at FROM reading_history WHERE uid = ?
  AND read_at > IFNULL((SELECT deleted_until FROM history_deletions WHERE uid = ?), -1)`;
const FORGET = 'DELETE FROM reading_history WHERE uid = ? AND biz = ? AND biz_id = ?';
const FORGET_SOME = 'DELETE FROM reading_history WHERE uid = ? AND read_at <= ? LIMIT ?';
const DELETIONS =
  'SELECT uid, deleted_until AS deletedUntil FROM history_deletions ORDER BY uid LIMIT ?';

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
      [uid, uid, ...page.values],
    );
    return rows.map((row) => ({ biz: row.biz, bizId: row.biz_id, readAt: row.read_at }));
  }

  async forget(uid: number, biz: string, bizId: number): Promise<void> {
    await this.database.change(FORGET, [uid, biz, bizId]);
  }

  /** Hides the user's readings up to a time, in milliseconds since the epoch, before they are deleted. */
  async beginDeletion(uid: number, until: number): Promise<void> {
    await this.database.change(
      `INSERT INTO history_deletions (uid, deleted_until) VALUES (?, ?)
       ON DUPLICATE KEY UPDATE deleted_until = GREATEST(deleted_until, VALUES(deleted_until))`,
      [uid, until],
    );
  }

  /** Deletes up to `limit` of the user's readings up to a time. @returns how many */
  async forgetSome(uid: number, until: number, limit: number): Promise<number> {
    const { affectedRows } = await this.database.change(FORGET_SOME, [uid, until, limit]);
    return affectedRows;
  }

  /** Ends a deletion, unless the user has begun a later one. */
  async endDeletion(uid: number, until: number): Promise<void> {
    await this.database.change(
      'DELETE FROM history_deletions WHERE uid = ? AND deleted_until <= ?',
      [uid, until],
    );
  }

  /** Deletions that were interrupted, or are under way. */
  deletions(limit: number): Promise<{ uid: number; deletedUntil: number }[]> {
    return this.database.queryRows(DELETIONS, [limit]);
  }
}

const at = Date.UTC(2026, 0);
const page = pageOf([at, 'article', 42], 21);

export const hotStatements: readonly HotStatement[] = [
  {
    name: 'own readings, first page',
    sql: `${NEWEST} ${pageOf(null, 21).sql}`,
    params: [1, 1, 21],
  },
  { name: 'own readings, next page', sql: `${NEWEST} ${page.sql}`, params: [1, 1, ...page.values] },
  { name: 'forget a reading', sql: FORGET, params: [1, 'article', 42] },
  { name: 'forget many readings', sql: FORGET_SOME, params: [1, at, 5_000] },
  { name: 'unfinished deletions', sql: DELETIONS, params: [100] },
];
