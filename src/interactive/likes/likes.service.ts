import { Injectable } from '@nestjs/common';
import type { ObjectRef } from '../../platform/business-object';
import { decodeCursor, type Page, pageOf } from '../../platform/http';
import type { LikesQuery } from './dto/likes.query';
import { type LikedRow, LikesRepository } from './likes.repository';
import { MarkWriter } from '../marks/mark.writer';
import { PublishedObjects } from '../marks/published-objects';
import type { ObjectState } from '../model/object-state';

/** Likes of a user. */
@Injectable()
export class LikesService {
  constructor(
    private readonly writer: MarkWriter,
    private readonly repository: LikesRepository,
    private readonly published: PublishedObjects,
  ) {}

  /**
   * Sets or takes back a like.
   * @returns the object's state right after it
   * @throws ArticleNotFoundError (404) for an article that readers cannot see
   */
  async set(uid: number, object: ObjectRef, on: boolean): Promise<ObjectState> {
    await this.published.require(object);
    return this.writer.write({ kind: 'like', uid, ...object, on });
  }

  /** What the user likes, newest first. */
  async list(uid: number, { biz, cursor, limit }: LikesQuery): Promise<Page<LikedRow>> {
    const list = biz === undefined ? 'likes' : `likes of ${biz}`;
    const position = decodeCursor(list, cursor, ['number', 'string', 'number']);
    const rows = await this.repository.newest(uid, biz ?? null, position, limit + 1);
    return pageOf(
      list,
      rows,
      limit,
      (row) => [row.likedAt, row.biz, row.bizId],
      (row) => row,
    );
  }
}
