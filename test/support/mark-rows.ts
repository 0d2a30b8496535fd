import type { Sql } from './sql';

/** Counters that differ from the numbers of the records that they count. */
export interface Drift {
  biz: string;
  biz_id: number;
  like_cnt: number;
  likes: number;
  collect_cnt: number;
  collects: number;
}

/** The objects whose counters differ from their records, among all that have either. */
export function driftOf(sql: Sql): Promise<Drift[]> {
  return sql.rows<Drift>(`
    SELECT o.biz, o.biz_id,
      COALESCE(i.like_cnt, 0) AS like_cnt, COALESCE(i.collect_cnt, 0) AS collect_cnt,
      (SELECT COUNT(*) FROM likes l
        WHERE l.biz = o.biz AND l.biz_id = o.biz_id AND l.status = 1) AS likes,
      (SELECT COUNT(*) FROM collection_items c
        WHERE c.biz = o.biz AND c.biz_id = o.biz_id AND c.status = 1) AS collects
    FROM (SELECT biz, biz_id FROM interactives
      UNION SELECT biz, biz_id FROM likes
      UNION SELECT biz, biz_id FROM collection_items) o
    LEFT JOIN interactives i ON i.biz = o.biz AND i.biz_id = o.biz_id
    HAVING like_cnt <> likes OR collect_cnt <> collects`);
}
