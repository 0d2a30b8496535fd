import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import type { ArticleRead } from '../article';
import { type Message, type MessageBatch, OffsetFence } from '../messaging';
import { type CursorQuery, decodeCursor, type Page, pageOf } from '../platform/http';
import { waitAtMost } from '../platform/timing';
import { HistoryRepository, type Reading } from './history.repository';

/** Rows of one DELETE: transactions stay short, however long a history is. */
const ROWS_PER_DELETE = 5_000;
/** How long a request waits for a deletion; a longer one goes on in the background. */
const DELETION_ANSWER_MS = 2_000;

/** A cursor is valid only for the list that it names. */
const LIST = 'history';

/** Which objects users have read, and when they last did. */
@Injectable()
export class HistoryService implements OnModuleDestroy {
  private readonly logger = new Logger(HistoryService.name);
  private isStopping = false;

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

  /**
   * Deletes the user's readings so far. They are hidden at once. The call waits two seconds at most; then
   * the deletion goes on in the background. The scheduler finishes an interrupted one.
   */
  async forgetAll(uid: number): Promise<void> {
    const until = Date.now();
    await this.repository.beginDeletion(uid, until);
    await waitAtMost(DELETION_ANSWER_MS, this.finishDeletion(uid, until), (error) =>
      this.logger.warn(`The history of user ${uid} is not deleted yet: ${String(error)}`),
    );
  }

  /** Deletes the readings of a deletion that has begun. Other instances may do so too. */
  async finishDeletion(uid: number, until: number): Promise<void> {
    let deleted = ROWS_PER_DELETE;
    while (deleted === ROWS_PER_DELETE && !this.isStopping)
      deleted = await this.repository.forgetSome(uid, until, ROWS_PER_DELETE);
    if (deleted < ROWS_PER_DELETE) await this.repository.endDeletion(uid, until);
  }

  onModuleDestroy(): void {
    this.isStopping = true;
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
