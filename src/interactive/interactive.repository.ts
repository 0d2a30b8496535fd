import { Injectable } from '@nestjs/common';
import { Database, type HotStatement, type SqlRunner } from '../platform/database';
import { counterOf, type CounterSqlRow } from './counter-sql-row';
import { byObject } from './mark.group';
import type { CounterRow, ObjectRef } from './states';

/** How often an object was read since it was last counted. */
export interface ReadIncrement extends ObjectRef {
  readonly reads: number;
}

/** Rows of one INSERT. */
const CHUNK = 1_000;

const COLUMNS = 'id, biz, biz_id, read_cnt, like_cnt, collect_cnt, version';
const ADD_READS = `INSERT INTO interactives (biz, biz_id, read_cnt, version, ctime, utime) VALUES ?
  ON DUPLICATE KEY UPDATE read_cnt = read_cnt + VALUES(read_cnt), version = version + 1,
    utime = VALUES(utime)`;
const COUNTERS = `SELECT ${COLUMNS} FROM interactives WHERE (biz_id, biz) IN (?)`;
const SCAN = `SELECT ${COLUMNS} FROM interactives WHERE id > ? ORDER BY id LIMIT ?`;

/** The SQL of the counters. */
@Injectable()
export class InteractiveRepository {
  constructor(private readonly database: Database) {}

  /**
   * Counts reads by expression. Rows are locked in the order that the likes and collects keep too.
   * @param at milliseconds since the epoch
   */
  async addReads(tx: SqlRunner, increments: readonly ReadIncrement[], at: number): Promise<void> {
    const sorted = [...increments].sort(byObject);
    for (let i = 0; i < sorted.length; i += CHUNK) {
      const rows = sorted
        .slice(i, i + CHUNK)
        .map(({ biz, bizId, reads }) => [biz, bizId, reads, 1, at, at]);
      await tx.bulkChange(ADD_READS, [rows]);
    }
  }

  /** The rows of those of the objects that have one, in no order. */
  async counters(objects: readonly ObjectRef[]): Promise<CounterRow[]> {
    if (objects.length === 0) return [];
    const tuples = objects.map(({ biz, bizId }) => [bizId, biz]);
    return (await this.database.bulkRows<CounterSqlRow>(COUNTERS, [tuples])).map(counterOf);
  }

  /** The next `limit` rows behind a primary key, in its order. */
  async scan(afterId: number, limit: number): Promise<CounterRow[]> {
    return (await this.database.rows<CounterSqlRow>(SCAN, [afterId, limit])).map(counterOf);
  }

  /** About how many rows there are, from the server's statistics. */
  async estimate(): Promise<number> {
    const [row] = await this.database.bulkRows<{ n: number | null }>(
      "SELECT TABLE_ROWS AS n FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'interactives'",
      [],
    );
    return row?.n ?? 0;
  }

  /**
   * Runs `work` while the object's row is locked, so that no like or collect of it can commit.
   * @param work gets the row, or undefined when there is none
   */
  async locked<T>(
    { biz, bizId }: ObjectRef,
    work: (tx: SqlRunner, row: CounterRow | undefined) => Promise<T>,
  ): Promise<T> {
    return this.database.transaction(async (tx) => {
      const rows = await tx.rows<CounterSqlRow>(
        `SELECT ${COLUMNS} FROM interactives WHERE biz_id = ? AND biz = ? FOR UPDATE`,
        [bizId, biz],
      );
      return work(tx, rows[0] && counterOf(rows[0]));
    });
  }

  /** Sets the counters of likes and collects to what was counted. */
  async correct(
    tx: SqlRunner,
    { biz, bizId }: ObjectRef,
    likeCnt: number,
    collectCnt: number,
    at: number,
  ): Promise<void> {
    await tx.change(
      `INSERT INTO interactives (biz, biz_id, like_cnt, collect_cnt, version, ctime, utime)
       VALUES (?, ?, ?, ?, 1, ?, ?)
       ON DUPLICATE KEY UPDATE like_cnt = VALUES(like_cnt), collect_cnt = VALUES(collect_cnt),
         version = version + 1, utime = VALUES(utime)`,
      [biz, bizId, likeCnt, collectCnt, at, at],
    );
  }
}

export const hotStatements: readonly HotStatement[] = [
  {
    name: 'counters of objects',
    sql: COUNTERS,
    params: [
      [
        [42, 'article'],
        [43, 'article'],
      ],
    ],
  },
  { name: 'scan of the counters', sql: SCAN, params: [0, 500] },
];
