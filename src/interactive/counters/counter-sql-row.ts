import type { BigInteger } from '../../platform/database';
import type { CounterRow } from '../model/counter-row';

/** An object's counters as the driver returns them. */
export interface CounterSqlRow {
  id: number;
  biz: string;
  biz_id: number;
  read_cnt: BigInteger;
  like_cnt: BigInteger;
  collect_cnt: BigInteger;
  version: number;
}

/** Another program may write counters beyond 2^53: as numbers, they lose their last digits. */
export const counterOf = (row: CounterSqlRow): CounterRow => ({
  id: row.id,
  biz: row.biz,
  bizId: row.biz_id,
  readCnt: Number(row.read_cnt),
  likeCnt: Number(row.like_cnt),
  collectCnt: Number(row.collect_cnt),
  version: row.version,
});
