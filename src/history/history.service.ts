import { Injectable } from '@nestjs/common';
import type { ArticleRead } from '../article';
import { type Message, type MessageBatch, OffsetFence } from '../messaging';
import { Database } from '../platform/database';
import { type CursorQuery, decodeCursor, type Page, pageOf } from '../platform/http';
import { HistoryRepository, type Reading } from './history.repository';

/** Rows of one DELETE: short transactions, however long a history is. */
const CHUNK = 5_000;

/** What its cursors are bound to. */
const LIST = 'history';

/** What users have read, and when last. */
@Injectable()
export class HistoryService {
  constructor(
    private readonly database: Database,
    private readonly fence: OffsetFence,
    private readonly repository: HistoryRepository,
  ) {}

  /** Keeps the readings of signed-in users; fenced, so that a replay brings nothing deleted back. */
  async record(batch: MessageBatch<ArticleRead>): Promise<void> {
    await this.database.transaction(async (tx) => {
      const readings = latestOf(await this.fence.pass(tx, batch), Date.now());
      if (readings.length > 0) await this.repository.save(tx, readings);
    });
  }

  /** The user's readings, newest first. */
  async list(uid: number, { cursor, limit }: CursorQuery): Promise<Page<Omit<Reading, 'uid'>>> {
    const position = decodeCursor(LIST, cursor, ['number', 'string', 'number']);
    const rows = await this.repository.newest(uid, position, limit + 1);
    return pageOf(
      LIST,
      rows,
      limit,
      (row) => [row.readAt, row.biz, row.bizId],
      (row) => row,
    );
  }

  forget(uid: number, biz: string, bizId: number): Promise<void> {
    return this.repository.forget(uid, biz, bizId);
  }

  async forgetAll(uid: number): Promise<void> {
    while ((await this.repository.forgetSome(uid, CHUNK)) === CHUNK);
  }
}

/**
 * One reading for each user and object, the latest; none of anonymous readers. A producer's clock
 * that is ahead counts as `now`, or its readings would stay the newest.
 */
export function latestOf(messages: readonly Message<ArticleRead>[], now: number): Reading[] {
  const latest = new Map<string, Reading>();
  for (const { value, timestamp } of messages) {
    const readAt = Math.min(timestamp, now);
    const { Aid: bizId, Uid: uid, Biz: biz = 'article' } = value;
    if (uid === 0) continue;
    const key = `${uid}:${biz}:${bizId}`;
    const present = latest.get(key);
    if (!present || present.readAt < readAt) latest.set(key, { uid, biz, bizId, readAt });
  }
  return [...latest.values()];
}
