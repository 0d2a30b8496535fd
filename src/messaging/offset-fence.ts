import { Injectable } from '@nestjs/common';
import { Database, type SqlRunner } from '../platform/database';
import type { Message, MessageBatch } from './message';

export interface FencedPartition {
  readonly group: string;
  readonly topic: string;
  readonly partition: number;
  /** The log that counts the offsets, as `EventLog.id` names it. */
  readonly logId: string;
}

/**
 * Exactly-once effects in MySQL: how far a group has come stands in the same database as what it
 * changes, and both change in one transaction. Replayed, duplicated and rebalanced messages are
 * recognised by their offsets, whatever the log believes to have been committed. Each log has rows of
 * its own: what a member still holds of one that is gone counts once, and moves nothing in the next.
 */
@Injectable()
export class OffsetFence {
  constructor(private readonly database: Database) {}

  /**
   * Call it first in the transaction that handles the batch: locks the partition's row, moves it
   * behind the batch's last message, and gives the messages that have had no effect yet.
   */
  async pass<Payload>(
    tx: SqlRunner,
    { messages, ...place }: MessageBatch<Payload>,
  ): Promise<readonly Message<Payload>[]> {
    const last = messages.at(-1);
    if (!last) return [];
    const before = await advance(tx, place, last.offset + 1);
    return before <= (messages[0]?.offset ?? 0)
      ? messages
      : messages.filter((message) => message.offset >= before);
  }

  /** The offset behind which nothing of the partition has had an effect yet; 0 when never consumed. */
  async nextOffset({ group, topic, partition, logId }: FencedPartition): Promise<number> {
    const [row] = await this.database.rows<{ next_offset: number }>(
      'SELECT next_offset FROM consumer_offsets WHERE consumer_group = ? AND topic = ? AND partition_no = ? AND log_id = ?',
      [group, topic, partition, logId],
    );
    return row?.next_offset ?? 0;
  }

  /** Moves behind a message that was put aside, so that a replay does not put it aside again. */
  async moveBehind(place: FencedPartition, offset: number): Promise<void> {
    await advance(this.database, place, offset + 1);
  }

  /**
   * Call it before the first message of a partition: makes its row, and sets it back when the log
   * ends before it.
   * @param endOf asked after the row was read: an older end would lie before what another member is
   * handling just now. `resumeAt` is where a log of the same id goes on that ends before what was
   * handled
   * @returns the offset that it had before it was set back, or that was reached in another log when
   * this one is new, or undefined
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
    if (affectedRows === 1) return this.reachedElsewhere(place);
    if (next <= endOffset) return undefined;
    await this.database.change(
      'UPDATE consumer_offsets SET next_offset = ? WHERE consumer_group = ? AND topic = ? AND partition_no = ? AND log_id = ? AND next_offset = ?',
      [resumeAt, group, topic, partition, logId, next],
    );
    return next;
  }

  private async reachedElsewhere(place: FencedPartition): Promise<number | undefined> {
    const { group, topic, partition, logId } = place;
    const [row] = await this.database.rows<{ reached: number | null }>(
      'SELECT MAX(next_offset) AS reached FROM consumer_offsets WHERE consumer_group = ? AND topic = ? AND partition_no = ? AND log_id <> ?',
      [group, topic, partition, logId],
    );
    return row?.reached || undefined;
  }
}

/**
 * Moves the partition's row, which it makes and locks, to `nextOffset`, unless it is further already.
 * @returns where the row was before, 0 when there was none: one statement that writes and reads, so
 * that of two members at work on a partition each sees what the other has done
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
