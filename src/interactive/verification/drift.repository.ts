import { Injectable } from '@nestjs/common';
import { byObject, keyOfObject, type ObjectRef } from '../../platform/business-object';
import {
  boundsOf,
  Database,
  type HotStatement,
  SCAN_ROWS,
  scanById,
  type Scanned,
  shareOf,
} from '../../platform/database';
import { ON } from '../marks/mark.statements';

/** An object's counters and the number of its records, all of one moment. */
export interface CountedObject extends ObjectRef {
  readonly likeCnt: number;
  readonly collectCnt: number;
  readonly likes: number;
  readonly collects: number;
}

/** Objects that are locked together while their records are counted: likes of them wait. */
const LOCKED_OBJECTS = 50;
/** Records of these objects together; an object with more is locked alone. */
const LOCKED_RECORDS = 200_000;

const totalOf = (table: string, object: string): string =>
  `(SELECT COUNT(*) FROM ${table} t FORCE INDEX (idx_${table}_object)
     WHERE t.biz_id = ${object}.biz_id AND t.biz = ${object}.biz AND t.status = ${ON})`;

/** One statement reads one moment: a concurrent like is in both the counters and the records. */
const COUNTED = `SELECT i.id, i.biz, i.biz_id, i.like_cnt, i.collect_cnt,
    ${totalOf('likes', 'i')} AS likes, ${totalOf('collection_items', 'i')} AS collects
  FROM interactives i`;
const COUNTED_SCAN = `${COUNTED} WHERE i.id > ? AND i.id <= ? ORDER BY i.id LIMIT ?`;
const COUNTED_OBJECTS = `${COUNTED} WHERE (i.biz_id, i.biz) IN (?)`;

const markedScan = (table: string): string =>
  `SELECT m.biz, m.biz_id, i.id, 0 AS like_cnt, 0 AS collect_cnt,
     CASE WHEN i.id IS NULL THEN ${totalOf('likes', 'm')} ELSE 0 END AS likes,
     CASE WHEN i.id IS NULL THEN ${totalOf('collection_items', 'm')} ELSE 0 END AS collects
   FROM (
     SELECT DISTINCT biz_id, biz FROM ${table} FORCE INDEX (idx_${table}_object)
     WHERE biz_id >= ? AND (biz_id > ? OR biz > ?) AND status = ${ON}
     ORDER BY biz_id, biz LIMIT ?
   ) m LEFT JOIN interactives i ON i.biz_id = m.biz_id AND i.biz = m.biz
   ORDER BY m.biz_id, m.biz`;

const LOCK = 'SELECT biz, biz_id FROM interactives WHERE (biz_id, biz) IN (?) FOR UPDATE';
/** Waits for a transaction that is inserting the row, and has locked it in any case. */
const INSERT_MISSING = `INSERT INTO interactives (biz, biz_id, version, ctime, utime) VALUES ?
  ON DUPLICATE KEY UPDATE id = id`;
const CORRECT = `INSERT INTO interactives
    (id, biz, biz_id, like_cnt, collect_cnt, version, ctime, utime) VALUES ?
  ON DUPLICATE KEY UPDATE like_cnt = VALUES(like_cnt), collect_cnt = VALUES(collect_cnt),
    version = version + 1, utime = VALUES(utime)`;

interface CountedSqlRow {
  id: number | null;
  biz: string;
  biz_id: number;
  like_cnt: number;
  collect_cnt: number;
  likes: number;
  collects: number;
}

/** The SQL that compares the counters with the like and collect records. */
@Injectable()
export class DriftRepository {
  constructor(private readonly database: Database) {}

  /** All objects that have counters. */
  async *counters(): AsyncGenerator<Scanned<CountedObject>> {
    for await (const { items, ...rest } of scanById<CountedSqlRow>(
      this.database.longRunning,
      'interactives',
      COUNTED_SCAN,
    ))
      yield { ...rest, items: items.map(countedOf) };
  }

  /** All objects that are liked or collected and have no counters. */
  async *withoutCounters(): AsyncGenerator<Scanned<CountedObject>> {
    for (const [index, table] of ['likes', 'collection_items'].entries()) {
      const bounds = await boundsOf(this.database.longRunning, table, 'biz_id');
      let after = { bizId: bounds.first, biz: '' };
      for (let isOver = bounds.last < bounds.first; !isOver;) {
        const { bizId, biz } = after;
        const rows = await this.database.longRunning.rows<CountedSqlRow>(markedScan(table), [
          bizId,
          bizId,
          biz,
          SCAN_ROWS,
        ]);
        const end = rows.at(-1);
        isOver = rows.length < SCAN_ROWS || !end;
        if (end) after = { bizId: end.biz_id, biz: end.biz };
        yield {
          items: rows
            .filter(({ id }) => id === null)
            .map(countedOf)
            // Objects that are liked too were found among the likes.
            .filter(({ likes }) => table === 'likes' || likes === 0),
          seen: rows.length,
          share: (index + (isOver ? 1 : Math.min(1, shareOf(after.bizId, bounds)))) / 2,
        };
      }
    }
  }

  /**
   * Sets the objects' counters to the number of their records, which are counted while the counters are
   * locked: no like or collect of them commits meanwhile, and no other correction.
   * @param at milliseconds since the epoch
   */
  async correct(objects: readonly CountedObject[], at: number): Promise<void> {
    let group: CountedObject[] = [];
    let records = 0;
    for (const object of [...objects].sort(byObject)) {
      records += object.likes + object.collects;
      if (group.length > 0 && (group.length === LOCKED_OBJECTS || records > LOCKED_RECORDS)) {
        await this.correctTogether(group, at);
        group = [];
        records = object.likes + object.collects;
      }
      group.push(object);
    }
    if (group.length > 0) await this.correctTogether(group, at);
  }

  private correctTogether(objects: readonly ObjectRef[], at: number): Promise<void> {
    const tuples = objects.map(({ biz, bizId }) => [bizId, biz]);
    return this.database.longRunningTransaction(async (tx) => {
      const rows = await tx.queryRows<{ biz: string; biz_id: number }>(LOCK, [tuples]);
      const present = new Set(rows.map(({ biz, biz_id }) => keyOfObject({ biz, bizId: biz_id })));
      const missing = objects.filter((object) => !present.has(keyOfObject(object)));
      if (missing.length > 0)
        await tx.queryChange(INSERT_MISSING, [
          missing.map(({ biz, bizId }) => [biz, bizId, 1, at, at]),
        ]);
      const wrong = (await tx.queryRows<CountedSqlRow>(COUNTED_OBJECTS, [tuples])).filter(
        (row) => row.like_cnt !== row.likes || row.collect_cnt !== row.collects,
      );
      if (wrong.length > 0)
        await tx.queryChange(CORRECT, [
          wrong.map(({ id, biz, biz_id, likes, collects }) => [
            id,
            biz,
            biz_id,
            likes,
            collects,
            1,
            at,
            at,
          ]),
        ]);
    });
  }
}

const countedOf = (row: CountedSqlRow): CountedObject => ({
  biz: row.biz,
  bizId: row.biz_id,
  likeCnt: row.like_cnt,
  collectCnt: row.collect_cnt,
  likes: row.likes,
  collects: row.collects,
});

const OBJECTS = [
  [42, 'article'],
  [43, 'article'],
];

export const hotStatements: readonly HotStatement[] = [
  { name: 'counters beside totals, scan', sql: COUNTED_SCAN, params: [0, 900, 500] },
  { name: 'counters beside totals, of objects', sql: COUNTED_OBJECTS, params: [OBJECTS] },
  { name: 'liked objects without counters', sql: markedScan('likes'), params: [1, 1, '', 500] },
  {
    name: 'collected objects without counters',
    sql: markedScan('collection_items'),
    params: [1, 1, '', 500],
  },
];
