import { MAX_MESSAGE_BYTES, type OutgoingMessage } from '../../messaging';
import type { BinlogPosition } from '../binlog/binlog-position';
import type { ChangedRow, ChangedRows } from '../binlog/changed-rows';
import { encodeProtobuf, maxRowBytes } from '../canal/canal-protobuf';
import { partitionOf } from '../canal/partition-hash';
import type { CapturedTables } from '../captured-tables';
import { captureHeartbeatsTable } from '../heartbeat/capture-heartbeats.table';

/** Rows of a message: consumers take some hundred messages at a time. */
const MAX_ROWS = 100;
/** Bytes of a message's rows, far enough below what the log takes that the events' headers fit. */
const MAX_BYTES = MAX_MESSAGE_BYTES - 50_000;
/** More than the names and the cause in a rewrite have. */
const REWRITE_BYTES = 2_000;

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
    const last = this.events.at(-1);
    // A rewrite says the same as the one before it, and there may be very many.
    if (event.kind === 'rewrite' && last?.kind === 'rewrite' && last.table === event.table) return;
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
    /** The message to which the partition's next row or rewrite, of so many bytes, belongs. */
    const draftFor = (partition: number, bytes: number): MessageDraft => {
      let draft = drafts.get(partition);
      if (draft && !draft.hasRoomFor(bytes)) {
        close(partition, draft);
        draft = undefined;
      }
      if (!draft) drafts.set(partition, (draft = new MessageDraft()));
      return draft;
    };
    for (const event of this.events) {
      // To each partition, since it must come after the table's earlier rows in every one of them.
      if (event.kind === 'rewrite')
        for (let partition = 0; partition < this.partitions; partition++)
          draftFor(partition, REWRITE_BYTES).addRewrite(event);
      const column = this.tables.hashColumnOf(event.table) ?? '';
      for (const row of event.rows) {
        const value = (row.after ?? row.before)?.[column] ?? null;
        const partition = partitionOf(event.database, value, this.partitions);
        const bytes = bytesOf(event, row);
        if (bytes <= MAX_BYTES) draftFor(partition, bytes).add(event, row, bytes);
        else draftFor(partition, REWRITE_BYTES).addRewrite(withoutRow(event, row, bytes));
      }
    }
    for (const [partition, draft] of [...drafts]) close(partition, draft);
    return messages;
  }
}

/** How many bytes the row adds to a message that has its event; an estimate, unless it is large. */
function bytesOf(event: ChangedRows, row: ChangedRow): number {
  const bytes = maxRowBytes(row);
  return bytes > MAX_BYTES ? encodeProtobuf([{ ...event, rows: [row] }]).length : bytes;
}

/** Stands for a row that is too large for any message. */
function withoutRow(event: ChangedRows, { before, after }: ChangedRow, bytes: number): ChangedRows {
  const id = (after ?? before)?.id?.slice(0, 20) ?? 'unknown';
  const cause = `the row with the id ${id} is too large for a message (${bytes} bytes)`;
  return { ...event, kind: 'rewrite', cause, rows: [] };
}

/** The rows of a message that is not complete yet, in the order of the binlog. */
class MessageDraft {
  readonly events: (ChangedRows & { rows: ChangedRow[] })[] = [];
  private rows = 0;
  private bytes = 0;
  private last: ChangedRows | undefined;

  add(event: ChangedRows, row: ChangedRow, bytes: number): void {
    if (this.last === event) this.events.at(-1)?.rows.push(row);
    else this.events.push({ ...event, rows: [row] });
    this.last = event;
    this.rows++;
    this.bytes += bytes;
  }

  addRewrite(event: ChangedRows): void {
    this.events.push({ ...event, rows: [] });
    this.last = event;
    this.rows++;
    this.bytes += REWRITE_BYTES;
  }

  hasRoomFor(bytes: number): boolean {
    return this.rows < MAX_ROWS && this.bytes + bytes <= MAX_BYTES;
  }
}
