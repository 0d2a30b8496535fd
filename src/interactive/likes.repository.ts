import { Injectable } from '@nestjs/common';
import { Database, type HotStatement } from '../platform/database';
import { type MarkPosition, newestFirst, newestOfBizFirst } from './keyset';
import { ON } from './mark.statements';
import type { ObjectRef } from './states';

export interface LikedRow extends ObjectRef {
  /** Milliseconds since the epoch. */
  readonly likedAt: number;
}

const ALL = `SELECT biz, biz_id, utime FROM likes FORCE INDEX (idx_likes_newest)
  WHERE uid = ? AND status = ${ON}`;
const OF_BIZ = `SELECT biz, biz_id, utime FROM likes FORCE INDEX (idx_likes_newest_of_biz)
  WHERE uid = ? AND status = ${ON} AND biz = ?`;

/** The list of what a user likes. */
@Injectable()
export class LikesRepository {
  constructor(private readonly database: Database) {}

  /** Newest first, after `position`; of one kind of object with `biz`. */
  async newest(
    uid: number,
    biz: string | null,
    position: MarkPosition | null,
    limit: number,
  ): Promise<LikedRow[]> {
    const page = (biz === null ? newestFirst : newestOfBizFirst)(position, limit);
    const rows = await this.database.bulkRows<{ biz: string; biz_id: number; utime: number }>(
      `${biz === null ? ALL : OF_BIZ} ${page.sql}`,
      [uid, ...(biz === null ? [] : [biz]), ...page.values],
    );
    return rows.map((row) => ({ biz: row.biz, bizId: row.biz_id, likedAt: row.utime }));
  }
}

const position: MarkPosition = [Date.UTC(2026, 0), 'article', 42];
const page = newestFirst(position, 21);
const pageOfBiz = newestOfBizFirst(position, 21);

export const hotStatements: readonly HotStatement[] = [
  { name: 'own likes, first page', sql: `${ALL} ${newestFirst(null, 21).sql}`, params: [1, 21] },
  { name: 'own likes, next page', sql: `${ALL} ${page.sql}`, params: [1, ...page.values] },
  {
    name: 'own likes of one biz, first page',
    sql: `${OF_BIZ} ${newestOfBizFirst(null, 21).sql}`,
    params: [1, 'article', 21],
  },
  {
    name: 'own likes of one biz, next page',
    sql: `${OF_BIZ} ${pageOfBiz.sql}`,
    params: [1, 'article', ...pageOfBiz.values],
  },
];
