import type { OutgoingMessage } from '../messaging';
import type { BinlogPosition } from './binlog-position';
import { type ChangedRows, encodeProtobuf } from './canal-protobuf';
import { hashColumnOf } from './captured-tables';
import { partitionOf } from './partition-hash';
import type { RowImage } from './row-change';

/** Rows of one message: so few that a message of wide rows stays below the log's limit. */
const ROWS_A_MESSAGE = 500;
const BYTES_A_MESSAGE = 700_000;

/** What goes to the log in one append, and from where the binlog is read on once it is there. */
export interface Outgoing {
  readonly messages: OutgoingMessage[];
  readonly rows: number;
  /** Undefined while the transaction that the rows belong to has not ended. */
  readonly resumeAt: BinlogPosition | undefined;
}

/** Gathers captured rows between two appends, spread over partitions as Canal spreads them. */
export class RelayOutbox {
  private events: ChangedRows[] = [];
  private resumeAt: BinlogPosition | undefined;
  rows = 0;

  constructor(private readonly partitions: number) {}

  add(event: ChangedRows): void {
    this.events.push(event);
    this.rows += event.rows.length;
  }

  /** Everything up to here is gathered: from here on the binlog may be read on. */
  mark(position: BinlogPosition): void {
    this.resumeAt = position;
  }

  take(): Outgoing {
    const outgoing = { messages: this.messages(), rows: this.rows, resumeAt: this.resumeAt };
    this.events = [];
    this.rows = 0;
    this.resumeAt = undefined;
    return outgoing;
  }

  private messages(): OutgoingMessage[] {
    const messages: OutgoingMessage[] = [];
    const open = new Map<number, { events: ChangedRows[]; rows: number; bytes: number }>();
    const close = (partition: number): void => {
      const part = open.get(partition);
      if (!part) return;
      messages.push({ key: null, partition, value: encodeProtobuf(part.events) });
      open.delete(partition);
    };
    for (const event of this.events) {
      const column = hashColumnOf(event.table) ?? '';
      for (const row of event.rows) {
        const image = (row.after ?? row.before) as RowImage;
        const partition = partitionOf(event.database, image[column] ?? null, this.partitions);
        let part = open.get(partition);
        if (!part) open.set(partition, (part = { events: [], rows: 0, bytes: 0 }));
        const last = part.events.at(-1);
        if (last && last.position === event.position) (last.rows as unknown[]).push(row);
        else part.events.push({ ...event, rows: [row] });
        part.rows++;
        part.bytes += sizeOf(row.before) + sizeOf(row.after);
        if (part.rows >= ROWS_A_MESSAGE || part.bytes >= BYTES_A_MESSAGE) close(partition);
      }
    }
    for (const partition of [...open.keys()]) close(partition);
    return messages;
  }
}

/** About how many bytes a row image takes in a message. */
function sizeOf(image: RowImage | null): number {
  let bytes = 0;
  for (const name in image) bytes += name.length + 3 * (image[name]?.length ?? 0) + 12;
  return bytes;
}
