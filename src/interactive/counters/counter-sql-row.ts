import type { CounterRow } from '../model/counter-row';

/** An object's counters as the driver returns them. */
export interface CounterSqlRow {
  id: number;
  biz: string;
  biz_id: number;
  read_cnt: number;
  like_cnt: number;
  collect_cnt: number;
  version: number;
}

export const counterOf = (row: CounterSqlRow): CounterRow => ({
  id: row.id,
  biz: row.biz,
  bizId: row.biz_id,
  readCnt: row.read_cnt,
  likeCnt: row.like_cnt,
  collectCnt: row.collect_cnt,
  version: row.version,
});
