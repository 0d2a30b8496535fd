import { zstdDecompressSync } from 'node:zlib';

/** The parts of an event's header: its type, length and end follow the time, at these offsets. */
const HEADER_BYTES = 19;
const TYPE_AT = 4;
const LENGTH_AT = 9;
const END_AT = 13;

const FORMAT_DESCRIPTION = 15;
const TABLE_MAP = 19;
const INCIDENT = 26;
const PARTIAL_UPDATE_ROWS = 39;
const TRANSACTION_PAYLOAD = 40;

/** Inserts, updates and deletes in both versions of MySQL, and MariaDB's compressed ones. */
const ROWS = new Set([23, 24, 25, 30, 31, 32, 166, 167, 168, 169, 170, 171]);

const CHECKSUM_BYTES = 4;
/** More is not decompressed: it would take the process's memory, and stop it for long. */
const MAX_PAYLOAD_BYTES = 256 * 1024 * 1024;

/** What mysql2 gives for each event: a byte that tells errors from events, then the event. */
export interface Packet {
  readonly buffer: Buffer;
  readonly offset: number;
  end: number;
  isEOF(): boolean;
  isError(): boolean;
}

/** The tables that a compressed transaction changes. */
export interface MappedTable {
  readonly tableId: number;
  readonly schema: string;
  readonly name: string;
  readonly columnCount: number;
}

/** Reads one event, which has no checksum. */
export type Read = (packet: Packet) => void;

export interface BinlogPacketsOptions {
  /** Reads the events of a compressed transaction, once the columns of its tables are known. */
  readAll(packets: readonly Packet[], tables: readonly MappedTable[], read: Read): void;
  /** An event with rows of a table cannot be decoded. */
  onUnreadableRows(tableId: number, cause: string): void;
  /** An event cannot be decoded that may contain changes of any table. */
  onUnreadable(cause: string): void;
}

/**
 * Prepares events for the reader, which does not do so itself: it removes their checksums, which may
 * begin or end with any binlog file, and decompresses transactions (binlog_transaction_compression).
 */
export class BinlogPackets {
  /** As the format description at the start of each file says. */
  private checksumBytes = 0;
  /** The table whose rows are being read. */
  tableOfRows: number | undefined;

  constructor(private readonly options: BinlogPacketsOptions) {}

  receive(packet: Packet, read: Read): void {
    const event = packet.buffer.subarray(packet.offset + 1, packet.end);
    const type = event[TYPE_AT];
    if (type === FORMAT_DESCRIPTION)
      // The algorithm stands before the checksum, which this event always has: 1 is CRC32, else none.
      this.checksumBytes = event[event.length - 1 - CHECKSUM_BYTES] === 1 ? CHECKSUM_BYTES : 0;
    if (this.checksumBytes > 0) {
      packet.end -= this.checksumBytes;
      event.writeUInt32LE(event.readUInt32LE(LENGTH_AT) - this.checksumBytes, LENGTH_AT);
    }
    if (type === TRANSACTION_PAYLOAD)
      this.readPayload(event.subarray(0, event.length - this.checksumBytes), read);
    else this.read(packet, read);
  }

  /** Reads an event; what fails while it is read is about the rows of `tableOfRows`, if it has rows. */
  read(packet: Packet, read: Read): void {
    const event = packet.buffer.subarray(packet.offset + 1, packet.end);
    const type = event[TYPE_AT]!;
    if (type === INCIDENT)
      return this.options.onUnreadable('the server has lost changes (an incident event)');
    if (type === PARTIAL_UPDATE_ROWS)
      return this.options.onUnreadableRows(
        tableIdOf(event),
        'JSON values are logged in part (binlog_row_value_options)',
      );
    if (!ROWS.has(type)) return read(packet);
    this.tableOfRows = tableIdOf(event);
    try {
      read(packet);
    } finally {
      this.tableOfRows = undefined;
    }
  }

  /** Where an event begins whose end is known. */
  beginOf({ nextPosition, size }: { nextPosition: number; size: number }): number {
    return nextPosition - size - HEADER_BYTES - this.checksumBytes;
  }

  private readPayload(payload: Buffer, read: Read): void {
    let events: Buffer;
    try {
      events = decompress(payload.subarray(HEADER_BYTES));
    } catch (error) {
      return this.options.onUnreadable(
        `a compressed transaction cannot be read: ${(error as Error).message}`,
      );
    }
    const packets: Packet[] = [];
    const tables: MappedTable[] = [];
    for (let at = 0; at < events.length;) {
      const length = events.readUInt32LE(at + LENGTH_AT);
      const event = events.subarray(at, at + length);
      at += length;
      // Only the last one ends where the binlog can be read on: after the whole transaction.
      const end = at < events.length ? 0 : payload.readUInt32LE(END_AT);
      event.writeUInt32LE(end, END_AT);
      if (event[TYPE_AT] === TABLE_MAP) tables.push(mappedTable(event));
      packets.push(packetOf(event));
    }
    this.options.readAll(packets, tables, (packet) => this.read(packet, read));
  }
}

const tableIdOf = (event: Buffer): number => event.readUIntLE(HEADER_BYTES, 6);

function packetOf(event: Buffer): Packet {
  const buffer = Buffer.concat([Buffer.alloc(1), event]);
  return { buffer, offset: 0, end: buffer.length, isEOF: () => false, isError: () => false };
}

/** The parts of a payload's header: each a type, its length and its value. */
const COMPRESSION = 2;
const UNCOMPRESSED_SIZE = 3;
const ZSTD = 0;

/** The events in the body of a payload event. */
function decompress(body: Buffer): Buffer {
  let compression = ZSTD;
  let size = 0;
  let at = 0;
  /** An integer in MySQL's length-encoded form. */
  const integer = (): number => {
    const first = body.readUInt8(at++);
    const bytes = first < 0xfb ? 0 : first === 0xfc ? 2 : first === 0xfd ? 3 : 8;
    if (bytes === 0) return first;
    const value = bytes === 8 ? Number(body.readBigUInt64LE(at)) : body.readUIntLE(at, bytes);
    at += bytes;
    return value;
  };
  for (let field = integer(); field !== 0; field = integer()) {
    const end = integer() + at;
    if (field === COMPRESSION) compression = integer();
    else if (field === UNCOMPRESSED_SIZE) size = integer();
    at = end;
  }
  const payload = body.subarray(at);
  if (compression !== ZSTD) return payload;
  if (size > MAX_PAYLOAD_BYTES) throw new Error(`it has ${size} bytes`);
  return zstdDecompressSync(payload, { maxOutputLength: MAX_PAYLOAD_BYTES });
}

/** Its table id, flags, and two names with their lengths before and a zero after them. */
function mappedTable(event: Buffer): MappedTable {
  let at = HEADER_BYTES + 8;
  const name = (): string => {
    const length = event.readUInt8(at);
    const text = event.toString('utf8', at + 1, at + 1 + length);
    at += length + 2;
    return text;
  };
  const schema = name();
  const table = name();
  const first = event.readUInt8(at);
  return {
    tableId: tableIdOf(event),
    schema,
    name: table,
    columnCount: first < 0xfb ? first : event.readUInt16LE(at + 1),
  };
}
