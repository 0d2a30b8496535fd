import { AsyncLocalStorage } from 'node:async_hooks';
import { Injectable } from '@nestjs/common';
import { Database, type HotStatement, type SqlRunner } from '../platform/database';
import type { Message, MessageBatch } from './message';

export interface FencedPartition {
  readonly group: string;
  readonly topic: string;
  readonly partition: number;
  /** The log that counts the offsets, as `EventLog.id` names it. */
  readonly logId: string;
}

const NEXT_OFFSET =
  'SELECT next_offset FROM consumer_offsets WHERE consumer_group = ? AND topic = ? AND partition_no = ? AND log_id = ?';
const REACHED_IN_OTHER_LOG =
  'SELECT MAX(next_offset) AS reached FROM consumer_offsets WHERE consumer_group = ? AND topic = ? AND partition_no = ? AND log_id <> ?';

/**
 * Exactly-once effects in MySQL: the offset that a group has reached is stored in the same database
 * as what the group changes, and one transaction changes both. Replayed, duplicated and rebalanced
 * messages are recognised by their offsets, whatever the log believes to be committed. Each log has
 * its own rows: messages that a member still holds of a lost log count once, and do not move the
 * offsets of the next log.
 */
@Injectable()
export class OffsetFence {
  private readonly rehearsal = new AsyncLocalStorage<true>();

  constructor(private readonly database: Database) {}

  /**
   * Handles a batch in one transaction: claims its messages, then runs `work` with those that have
   * had no effect yet, if there are any.
   * @param work may run more than once (after a deadlock), so it must change nothing but `tx`
   */
  async handle<Payload>(
    { messages, ...place }: MessageBatch<Payload>,
    work: (tx: SqlRunner, fresh: readonly Message<Payload>[]) => Promise<void>,
  ): Promise<void> {
    const isRehearsal = this.rehearsal.getStore() ?? false;
    await this.database.transaction(async (tx) => {
      // First, since it locks the partition's row: another member with the same batch waits here.
      const fresh = await claimNew(tx, place, messages);
      if (fresh.length > 0) await work(tx, fresh);
      if (isRehearsal) throw new RehearsalEnd();
    });
  }

  /**
   * Finds out whether a handler would succeed: a call of `handle` inside of it ends it successfully,
   * with everything rolled back. What the handler does outside of the fence happens; like a replay,
   * it must do no harm.
   */
  async rehearse(handler: () => Promise<void>): Promise<void> {
    try {
      await this.rehearsal.run(true, handler);
    } catch (error) {
      if (!(error instanceof RehearsalEnd)) throw error;
    }
  }

  /** No message of the partition from this offset on has had an effect; 0 when never consumed. */
  async nextOffset({ group, topic, partition, logId }: FencedPartition): Promise<number> {
    const [row] = await this.database.rows<{ next_offset: number }>(NEXT_OFFSET, [
      group,
      topic,
      partition,
      logId,
    ]);
    return row?.next_offset ?? 0;
  }

  /** Advances past a message that was dead-lettered, so that a replay does not do it again. */
  async advancePast(place: FencedPartition, offset: number): Promise<void> {
    await advance(this.database, place, offset + 1);
  }

  /**
   * Call it before the first message of a partition: creates its row, and sets the row back when
   * the log ends before it.
   * @param endOf called after the row was read: an end that was read earlier could lie before the
   * messages that another member is handling now. `resumeAt` is the offset to continue at in a log
   * of the same id that ends before what was handled
   * @returns the offset before the row was set back; the offset reached in another log when this
   * log is new; otherwise undefined
   */
  async begin(
    place: FencedPartition,
    endOf: () => Promise<{ endOffset: number; resumeAt: number }>,
  ): Promise<number | undefined> {
    const { group, topic, partition, logId } = place;
    const { affectedRows } = await this.database.change(
      'INSERT IGNORE INTO consumer_offsets (consumer_group, topic, partition_no, next_offset, log_id) VALUES (?, ?, ?, 0, ?)',
      [group, topic, partition, logId],
    );
    const next = await this.nextOffset(place);
    const { endOffset, resumeAt } = await endOf();
    if (affectedRows === 1) return this.reachedInOtherLog(place);
    if (next <= endOffset) return undefined;
    await this.database.change(
      'UPDATE consumer_offsets SET next_offset = ? WHERE consumer_group = ? AND topic = ? AND partition_no = ? AND log_id = ? AND next_offset = ?',
      [resumeAt, group, topic, partition, logId, next],
    );
    return next;
  }

  private async reachedInOtherLog(place: FencedPartition): Promise<number | undefined> {
    const { group, topic, partition, logId } = place;
    const [row] = await this.database.rows<{ reached: number | null }>(REACHED_IN_OTHER_LOG, [
      group,
      topic,
      partition,
      logId,
    ]);
    return row?.reached || undefined;
  }
}

/** Rolls back a rehearsal that has succeeded. */
class RehearsalEnd extends Error {}

/**
 * Locks the partition's row and advances it past the batch's last message.
 * @returns the messages that have had no effect yet
 */
async function claimNew<Payload>(
  tx: SqlRunner,
  place: FencedPartition,
  messages: readonly Message<Payload>[],
): Promise<readonly Message<Payload>[]> {
  const last = messages.at(-1);
  if (!last) return [];
  const before = await advance(tx, place, last.offset + 1);
  return before <= (messages[0]?.offset ?? 0)
    ? messages
    : messages.filter((message) => message.offset >= before);
}

/**
 * Advances the partition's row, which it locks and creates if needed, to `nextOffset`, unless the
 * row is already further.
 * @returns the row's offset before, 0 when there was none. One statement writes and reads, so that
 * of two members that handle the same partition each sees what the other has done
 */
async function advance(
  runner: SqlRunner,
  { group, topic, partition, logId }: FencedPartition,
  nextOffset: number,
): Promise<number> {
  const { insertId } = await runner.change(
    `INSERT INTO consumer_offsets (consumer_group, topic, partition_no, log_id, next_offset)
     VALUES (?, ?, ?, ?, ?)
     ON DUPLICATE KEY UPDATE
       next_offset = GREATEST(LAST_INSERT_ID(next_offset), VALUES(next_offset))`,
    [group, topic, partition, logId, nextOffset],
  );
  return insertId;
}

const PLACE = ['interactive', 'article_read_event', 0, 'streams:log'];

/** Without the statement that claims a batch: MySQL plans no index for an INSERT. */
export const hotStatements: readonly HotStatement[] = [
  { name: 'next offset of a partition', sql: NEXT_OFFSET, params: PLACE },
  { name: 'offset reached in another log', sql: REACHED_IN_OTHER_LOG, params: PLACE },
];
