import { Injectable } from '@nestjs/common';
import type { ArticleRead } from '../article';
import { type Message, type MessageBatch, OffsetFence } from '../messaging';
import { type CursorQuery, decodeCursor, type Page, pageOf } from '../platform/http';
import { HistoryRepository, type Reading } from './history.repository';

/** Rows of one DELETE: transactions stay short, however long a history is. */
const ROWS_PER_DELETE = 5_000;

/** A cursor is valid only for the list that it names. */
const LIST = 'history';

/** Which objects users have read, and when they last did. */
@Injectable()
export class HistoryService {
  constructor(
    private readonly fence: OffsetFence,
    private readonly repository: HistoryRepository,
  ) {}

  /** Stores the readings of signed-in users. Fenced: a replay does not restore deleted readings. */
  record(batch: MessageBatch<ArticleRead>): Promise<void> {
    return this.fence.handle(batch, async (tx, fresh) => {
      const readings = latestOf(fresh, Date.now());
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
    while ((await this.repository.forgetSome(uid, ROWS_PER_DELETE)) === ROWS_PER_DELETE);
  }
}

/**
 * The latest reading of each user and object, without anonymous readers. A time after `now`, from a
 * producer whose clock is ahead, counts as `now`: otherwise it would stay the newest for too long.
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
