import { Injectable } from '@nestjs/common';
import type { ObjectRef } from '../../platform/business-object';
import { Database, type HotStatement, newestFirst } from '../../platform/database';
import { ON } from '../marks/mark.statements';

export interface LikedRow extends ObjectRef {
  /** Milliseconds since the epoch. */
  readonly likedAt: number;
}

/** The sort columns of the last liked object that was shown. */
export type LikePosition = readonly [likedAt: number, biz: string, bizId: number];

const ALL = `SELECT biz, biz_id, utime FROM likes FORCE INDEX (idx_likes_newest)
  WHERE uid = ? AND status = ${ON}`;
const OF_BIZ = `SELECT biz, biz_id, utime FROM likes FORCE INDEX (idx_likes_newest_of_biz)
  WHERE uid = ? AND status = ${ON} AND biz = ?`;

const pageOfAll = (position: LikePosition | null, limit: number) =>
  newestFirst(['utime', 'biz', 'biz_id'], position, limit);

/** Without `biz` in its order, since MariaDB would sort the rows then. */
const pageOfBiz = (position: LikePosition | null, limit: number) =>
  newestFirst(['utime', 'biz_id'], position && [position[0], position[2]], limit);

/** The list of what a user likes. */
@Injectable()
export class LikesRepository {
  constructor(private readonly database: Database) {}

  /** Newest first, after `position`; with `biz`, objects of that kind only. */
  async newest(
    uid: number,
    biz: string | null,
    position: LikePosition | null,
    limit: number,
  ): Promise<LikedRow[]> {
    const page = (biz === null ? pageOfAll : pageOfBiz)(position, limit);
    const rows = await this.database.queryRows<{ biz: string; biz_id: number; utime: number }>(
      `${biz === null ? ALL : OF_BIZ} ${page.sql}`,
      [uid, ...(biz === null ? [] : [biz]), ...page.values],
    );
    return rows.map((row) => ({ biz: row.biz, bizId: row.biz_id, likedAt: row.utime }));
  }
}

const position: LikePosition = [Date.UTC(2026, 0), 'article', 42];
const next = pageOfAll(position, 21);
const nextOfBiz = pageOfBiz(position, 21);

export const hotStatements: readonly HotStatement[] = [
  { name: 'own likes, first page', sql: `${ALL} ${pageOfAll(null, 21).sql}`, params: [1, 21] },
  { name: 'own likes, next page', sql: `${ALL} ${next.sql}`, params: [1, ...next.values] },
  {
    name: 'own likes of one biz, first page',
    sql: `${OF_BIZ} ${pageOfBiz(null, 21).sql}`,
    params: [1, 'article', 21],
  },
  {
    name: 'own likes of one biz, next page',
    sql: `${OF_BIZ} ${nextOfBiz.sql}`,
    params: [1, 'article', ...nextOfBiz.values],
  },
];
