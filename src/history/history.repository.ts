import { Injectable } from '@nestjs/common';
import { Database, type HotStatement, type SqlRunner } from '../platform/database';

/** That a user read an object. */
export interface Reading {
  readonly uid: number;
  readonly biz: string;
  readonly bizId: number;
  /** Milliseconds since the epoch. */
  readonly readAt: number;
}

/** The sort columns of the last shown entry. */
export type HistoryPosition = readonly [readAt: number, biz: string, bizId: number];

const CHUNK = 1_000;

const NEWEST = `SELECT biz, biz_id, read_at FROM reading_history
  WHERE uid = ? AND read_at <= ? AND (read_at < ? OR biz < ? OR (biz = ? AND biz_id < ?))
  ORDER BY read_at DESC, biz DESC, biz_id DESC LIMIT ?`;
const FORGET = 'DELETE FROM reading_history WHERE uid = ? AND biz = ? AND biz_id = ?';
const FORGET_SOME = 'DELETE FROM reading_history WHERE uid = ? LIMIT ?';

/** The SQL of the reading history. */
@Injectable()
export class HistoryRepository {
  constructor(private readonly database: Database) {}

  /** Keeps the latest reading of each object; sorted, so that two writers lock in the same order. */
  async save(tx: SqlRunner, readings: readonly Reading[]): Promise<void> {
    const sorted = [...readings].sort(
      (a, b) => a.uid - b.uid || (a.biz < b.biz ? -1 : a.biz > b.biz ? 1 : 0) || a.bizId - b.bizId,
    );
    for (let i = 0; i < sorted.length; i += CHUNK) {
      const rows = sorted
        .slice(i, i + CHUNK)
        .map(({ uid, biz, bizId, readAt }) => [uid, biz, bizId, readAt]);
      await tx.bulkChange(
        `INSERT INTO reading_history (uid, biz, biz_id, read_at) VALUES ?
         ON DUPLICATE KEY UPDATE read_at = GREATEST(read_at, VALUES(read_at))`,
        [rows],
      );
    }
  }

  /** The user's readings, newest first, behind a position. */
  async newest(
    uid: number,
    position: HistoryPosition | null,
    limit: number,
  ): Promise<Omit<Reading, 'uid'>[]> {
    const [at, biz, bizId] = position ?? [Number.MAX_SAFE_INTEGER, '', 0];
    const rows = await this.database.rows<{ biz: string; biz_id: number; read_at: number }>(
      NEWEST,
      [uid, at, at, biz, biz, bizId, limit],
    );
    return rows.map((row) => ({ biz: row.biz, bizId: row.biz_id, readAt: row.read_at }));
  }

  async forget(uid: number, biz: string, bizId: number): Promise<void> {
    await this.database.change(FORGET, [uid, biz, bizId]);
  }

  /** Deletes up to `limit` of the user's readings. Gives how many it were. */
  async forgetSome(uid: number, limit: number): Promise<number> {
    const { affectedRows } = await this.database.change(FORGET_SOME, [uid, limit]);
    return affectedRows;
  }
}

const at = Date.UTC(2026, 0);

export const hotStatements: readonly HotStatement[] = [
  {
    name: 'own readings, first page',
    sql: NEWEST,
    params: [1, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, '', '', 0, 21],
  },
  {
    name: 'own readings, next page',
    sql: NEWEST,
    params: [1, at, at, 'article', 'article', 42, 21],
  },
  { name: 'forget a reading', sql: FORGET, params: [1, 'article', 42] },
  { name: 'forget many readings', sql: FORGET_SOME, params: [1, 5_000] },
];
