import { Injectable } from '@nestjs/common';
import { byObject, type ObjectRef } from '../../platform/business-object';
import {
  Database,
  type HotStatement,
  MAX_BIGINT,
  scanById,
  type Scanned,
  type SqlRunner,
} from '../../platform/database';
import type { CounterRow } from '../model/counter-row';
import { counterOf, type CounterSqlRow } from './counter-sql-row';

/** How often an object was read since it was last counted. */
export interface ReadIncrement extends ObjectRef {
  readonly reads: number;
}

/** Rows of one INSERT. */
const INSERT_ROWS = 1_000;

const COLUMNS = 'id, biz, biz_id, read_cnt, like_cnt, collect_cnt, version';
/** A counter that another program wrote too high ends at the column's limit, instead of an error. */
const ADD_READS = `INSERT INTO interactives (biz, biz_id, read_cnt, version, ctime, utime) VALUES ?
  ON DUPLICATE KEY UPDATE
    read_cnt = LEAST(read_cnt, ${MAX_BIGINT} - VALUES(read_cnt)) + VALUES(read_cnt),
    version = version + 1, utime = VALUES(utime)`;
const COUNTERS = `SELECT ${COLUMNS} FROM interactives WHERE (biz_id, biz) IN (?)`;
const SCAN = `SELECT ${COLUMNS} FROM interactives WHERE id > ? AND id <= ? ORDER BY id LIMIT ?`;

/** The SQL of the counters. */
@Injectable()
export class CountersRepository {
  constructor(private readonly database: Database) {}

  /**
   * Adds reads in SQL. Rows are locked in the order that likes and collects keep too.
   * @param at milliseconds since the epoch
   */
  async addReads(tx: SqlRunner, increments: readonly ReadIncrement[], at: number): Promise<void> {
    const sorted = [...increments].sort(byObject);
    for (let i = 0; i < sorted.length; i += INSERT_ROWS) {
      const rows = sorted
        .slice(i, i + INSERT_ROWS)
        .map(({ biz, bizId, reads }) => [biz, bizId, reads, 1, at, at]);
      await tx.queryChange(ADD_READS, [rows]);
    }
  }

  /** The rows of the objects that have one, in no order. */
  async counters(objects: readonly ObjectRef[]): Promise<CounterRow[]> {
    if (objects.length === 0) return [];
    const tuples = objects.map(({ biz, bizId }) => [bizId, biz]);
    return (await this.database.queryRows<CounterSqlRow>(COUNTERS, [tuples])).map(counterOf);
  }

  /** All rows. */
  async *scan(): AsyncGenerator<Scanned<CounterRow>> {
    for await (const { items, ...rest } of scanById<CounterSqlRow>(
      this.database,
      'interactives',
      SCAN,
    ))
      yield { ...rest, items: items.map(counterOf) };
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
  { name: 'scan of the counters', sql: SCAN, params: [0, 900, 500] },
];
