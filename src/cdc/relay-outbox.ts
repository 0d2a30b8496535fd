import type { OutgoingMessage } from '../messaging';
import type { BinlogPosition } from './binlog-position';
import { type ChangedRows, encodeProtobuf } from './canal-protobuf';
import { hashColumnOf } from './captured-tables';
import { partitionOf } from './partition-hash';
import type { RowImage } from './row-change';

/**
 * Limits of a message, since consumers take some hundred messages at a time; the second is about
 * bytes, and well below what the log takes.
 */
const ROWS_A_MESSAGE = 100;
const BYTES_A_MESSAGE = 700_000;

type Row = ChangedRows['rows'][number];

/** What goes to the log in one append, and from where the binlog is read on once it is there. */
export interface Outgoing {
  readonly messages: OutgoingMessage[];
  readonly rows: number;
  /** Milliseconds since the epoch; undefined without rows. */
  readonly oldestAt: number | undefined;
  /** Undefined when no statement has ended since the last append. */
  readonly resumeAt: BinlogPosition | undefined;
}

/** Gathers captured rows between two appends, spread over partitions as Canal spreads them. */
export class RelayOutbox {
  private events: ChangedRows[] = [];
  private resumeAt: BinlogPosition | undefined;
  private count = 0;

  constructor(private readonly partitions: number) {}

  /** How many rows wait. */
  get rows(): number {
    return this.count;
  }

  add(event: ChangedRows): void {
    this.events.push(event);
    this.count += event.rows.length;
  }

  /** Everything up to here is gathered: from here on the binlog may be read on. */
  mark(position: BinlogPosition): void {
    this.resumeAt = position;
  }

  take(): Outgoing {
    const outgoing = {
      messages: this.messages(),
      rows: this.count,
      oldestAt: this.events[0]?.executedAt,
      resumeAt: this.resumeAt,
    };
    this.events = [];
    this.count = 0;
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
      // To each partition, for it comes behind what every one of them holds of the table.
      if (event.kind === 'rewrite')
        for (let partition = 0; partition < this.partitions; partition++)
          draftOf(partition).addRewrite(event);
      const column = hashColumnOf(event.table) ?? '';
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

/** Rows of one message to be, in the order of the binlog. */
class MessageDraft {
  readonly events: (ChangedRows & { rows: Row[] })[] = [];
  private rows = 0;
  private bytes = 0;
  private last: ChangedRows | undefined;

  add(event: ChangedRows, row: Row): void {
    if (this.last === event) this.events.at(-1)?.rows.push(row);
    else this.events.push({ ...event, rows: [row] });
    this.last = event;
    this.rows++;
    this.bytes += sizeOf(row.before) + sizeOf(row.after);
  }

  addRewrite(event: ChangedRows): void {
    this.events.push({ ...event, rows: [] });
    this.last = event;
  }

  get isFull(): boolean {
    return this.rows >= ROWS_A_MESSAGE || this.bytes >= BYTES_A_MESSAGE;
  }
}

/** At most how many bytes a row image takes in a message. */
function sizeOf(image: RowImage | null): number {
  let bytes = 0;
  for (const name in image) bytes += 3 * (name.length + (image[name]?.length ?? 0)) + 12;
  return bytes;
}
