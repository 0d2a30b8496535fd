import type { OutgoingMessage } from '../../messaging';
import type { BinlogPosition } from '../binlog/binlog-position';
import type { ChangedRow, ChangedRows } from '../binlog/changed-rows';
import { encodeProtobuf, maxRowBytes } from '../canal/canal-protobuf';
import { partitionOf } from '../canal/partition-hash';
import type { CapturedTables } from '../captured-tables';
import { captureHeartbeatsTable } from '../heartbeat/capture-heartbeats.table';

/**
 * Limits of a message: rows, since consumers take some hundred messages at a time; and bytes, far
 * enough below what the log takes that one more row and the events' headers fit.
 */
const MAX_ROWS = 100;
const MAX_BYTES = 700_000;

/** One append to the log, and from where the binlog is read on once the log has it. */
export interface Outgoing {
  readonly messages: OutgoingMessage[];
  /** Without heartbeats, which come whether anything changes or not. */
  readonly rows: number;
  /** Milliseconds since the epoch of the oldest change; undefined without changes. */
  readonly oldestAt: number | undefined;
  /** Undefined when no statement has ended since the last append. */
  readonly resumeAt: BinlogPosition | undefined;
}

/** Collects captured rows between two appends, and spreads them over partitions as Canal does. */
export class RelayBuffer {
  private events: ChangedRows[] = [];
  private resumeAt: BinlogPosition | undefined;
  private count = 0;
  private beats = 0;

  constructor(
    private readonly partitions: number,
    private readonly tables: CapturedTables,
  ) {}

  /** How many rows it holds. */
  get rows(): number {
    return this.count;
  }

  add(event: ChangedRows): void {
    this.events.push(event);
    this.count += event.rows.length;
    if (event.table === captureHeartbeatsTable.name) this.beats += event.rows.length;
  }

  /** Everything before this position has been added. */
  mark(position: BinlogPosition): void {
    this.resumeAt = position;
  }

  take(): Outgoing {
    const outgoing = {
      messages: this.messages(),
      rows: this.count - this.beats,
      oldestAt: this.events[0]?.executedAt,
      resumeAt: this.resumeAt,
    };
    this.events = [];
    this.count = 0;
    this.beats = 0;
    this.resumeAt = undefined;
    return outgoing;
  }

  private messages(): OutgoingMessage[] {
    const messages: OutgoingMessage[] = [];
    const drafts = new Map<number, MessageDraft>();
    const close = (partition: number, draft: MessageDraft): void => {
      messages.push({ key: null, partition, value: encodeProtobuf(draft.events) });
      drafts.delete(partition);
    };
    const draftOf = (partition: number): MessageDraft => {
      let draft = drafts.get(partition);
      if (!draft) drafts.set(partition, (draft = new MessageDraft()));
      return draft;
    };
    for (const event of this.events) {
      // To each partition, since it must come after the table's earlier rows in every one of them.
      if (event.kind === 'rewrite')
        for (let partition = 0; partition < this.partitions; partition++)
          draftOf(partition).addRewrite(event);
      const column = this.tables.hashColumnOf(event.table) ?? '';
      for (const row of event.rows) {
        const value = (row.after ?? row.before)?.[column] ?? null;
        const partition = partitionOf(event.database, value, this.partitions);
        const draft = draftOf(partition);
        draft.add(event, row);
        if (draft.isFull) close(partition, draft);
      }
    }
    for (const [partition, draft] of [...drafts]) close(partition, draft);
    return messages;
  }
}

/** The rows of a message that is not complete yet, in the order of the binlog. */
class MessageDraft {
  readonly events: (ChangedRows & { rows: ChangedRow[] })[] = [];
  private rows = 0;
  private bytes = 0;
  private last: ChangedRows | undefined;

  add(event: ChangedRows, row: ChangedRow): void {
    if (this.last === event) this.events.at(-1)?.rows.push(row);
    else this.events.push({ ...event, rows: [row] });
    this.last = event;
    this.rows++;
    this.bytes += maxRowBytes(row);
  }

  addRewrite(event: ChangedRows): void {
    this.events.push({ ...event, rows: [] });
    this.last = event;
  }

  get isFull(): boolean {
    return this.rows >= MAX_ROWS || this.bytes >= MAX_BYTES;
  }
}
