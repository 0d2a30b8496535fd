import { Reader, Writer } from 'protobufjs/minimal';
import { BadMessageError } from '../../messaging';
import type { ChangedRow, ChangedRows } from '../binlog/changed-rows';
import type { ChangePosition, RowChange, RowImage } from '../row-change';

/*
 * The fields of Canal's CanalProtocol.proto and EntryProtocol.proto that are read and written here:
 *   Packet    { type = 3; compression = 4; body = 5 }       type 7: body is Messages
 *   Messages  { batchId = 1; messages = 2 … }               each an Entry
 *   Entry     { header = 1; entryType = 2; storeValue = 3 } entryType 2: storeValue is a RowChange
 *   Header    { logfileName = 2; logfileOffset = 3; serverId = 4; executeTime = 6; schemaName = 8;
 *               tableName = 9; eventType = 11 }
 *   RowChange { eventType = 2; isDdl = 10; sql = 11; rowDatas = 12 …; ddlSchemaName = 14 }
 *   RowData   { beforeColumns = 1 …; afterColumns = 2 …; props = 3 … }   props: each a Pair
 *   Column    { name = 3; isNull = 6; value = 8 }
 *   Pair      { key = 1; value = 2 }
 * The relay puts a row's ordinal into its props, since it spreads an event over several messages; and
 * the cause of a rewrite into sql.
 * Decoded without reflection: a board's latency and throughput depend on it.
 */
const MESSAGES = 7;
const NO_COMPRESSION = 1;
const ROW_DATA = 2;
const ORDINAL = 'ordinal';
const KINDS: Record<number, 'insert' | 'update' | 'delete'> = {
  1: 'insert',
  2: 'update',
  3: 'delete',
};
/** ALTER, ERASE, TRUNCATE and RENAME: the DDL that may change or remove rows. */
const REWRITES = new Set([5, 6, 8, 9]);
/** XACOMMIT and XAROLLBACK: Canal has sent the rows when they were prepared, not committed. */
const XA_ENDS = new Set([13, 14]);
/** A rewrite is encoded as TRUNCATE, whatever the statement was; a statement as QUERY. */
const EVENT_TYPES: Record<RowChange['kind'], number> = {
  insert: 1,
  update: 2,
  delete: 3,
  rewrite: 8,
  statement: 7,
};

type Fields = (field: number, reader: Reader) => boolean;

/** Walks a message's fields; `take` returns whether it has read the field, others are skipped. */
function walk(bytes: Uint8Array, take: Fields): void {
  const reader = Reader.create(bytes);
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (!take(tag >>> 3, reader)) reader.skipType(tag & 7);
  }
}

/** A 64-bit integer; positions and times are far below 2^53. */
const int64 = (reader: Reader): number => Number(reader.int64().toString());

/**
 * The changes in a protobuf message of Canal. Transaction marks have none; an entry that cannot be
 * read is a rewrite in its place among the others.
 * @throws BadMessageError when the bytes are truncated or are no such message
 */
export function decodeProtobuf(bytes: Buffer): RowChange[] {
  try {
    return decodePacket(bytes);
  } catch (error) {
    if (error instanceof BadMessageError) throw error;
    throw new BadMessageError(`not Canal's protobuf: ${(error as Error).message}`);
  }
}

function decodePacket(bytes: Uint8Array): RowChange[] {
  let type = 0;
  let compression = NO_COMPRESSION;
  let body: Uint8Array | undefined;
  walk(bytes, (field, reader) => {
    if (field === 3) type = reader.int32();
    else if (field === 4) compression = reader.int32();
    else if (field === 5) body = reader.bytes();
    else return false;
    return true;
  });
  if (type !== MESSAGES || !body)
    throw new BadMessageError(`Canal's protobuf: a packet of type ${type}, not of messages`);
  if (compression > NO_COMPRESSION)
    throw new BadMessageError(`Canal's protobuf: compression ${compression} is not supported`);
  const changes = new DecodedChanges();
  walk(body, (field, reader) => {
    if (field !== 2) return false;
    decodeEntry(reader.bytes(), changes);
    return true;
  });
  return changes.list;
}

interface PositionedChange extends Omit<RowChange, 'ordinal'> {
  readonly position: ChangePosition;
}

type ChangeWithoutRow = Omit<PositionedChange, 'before' | 'after'>;

/** The changes of one message, each with its ordinal. */
class DecodedChanges {
  readonly list: RowChange[] = [];
  private position: ChangePosition | undefined;
  /** How many rows of `position` came before. */
  private rows = 0;

  /** @param ordinal undefined when the row has none: then the message's rows of its event are counted */
  add(change: PositionedChange, ordinal?: number): void {
    const { position } = change;
    if (!this.position || !isSamePosition(this.position, position)) this.rows = 0;
    this.position = position;
    this.list.push({ ...change, ordinal: ordinal ?? this.rows });
    this.rows++;
  }

  addWithoutRow(change: ChangeWithoutRow): void {
    this.add({ ...change, before: null, after: null }, 0);
  }
}

const isSamePosition = (a: ChangePosition, b: ChangePosition): boolean =>
  a.offset === b.offset && a.file === b.file && a.serverId === b.serverId;

interface Header {
  database: string;
  table: string;
  position: ChangePosition;
  executedAt: number;
}

/** What the fields of an entry say when they are missing. */
const NO_HEADER: Header = {
  database: '',
  table: '',
  position: { serverId: 0, file: '', offset: 0 },
  executedAt: 0,
};

function decodeEntry(bytes: Uint8Array, changes: DecodedChanges): void {
  let header = NO_HEADER;
  try {
    let headerBytes: Uint8Array | undefined;
    let entryType = ROW_DATA;
    let store: Uint8Array | undefined;
    walk(bytes, (field, reader) => {
      if (field === 1) headerBytes = reader.bytes();
      else if (field === 2) entryType = reader.int32();
      else if (field === 3) store = reader.bytes();
      else return false;
      return true;
    });
    if (entryType !== ROW_DATA || !store) return;
    if (headerBytes) header = decodeHeader(headerBytes);
    decodeRowChange(store, header, changes);
  } catch (error) {
    const { file, offset } = header.position;
    const cause = `an entry of ${header.table || 'an unknown table'} at ${file}:${offset} is unreadable: ${(error as Error).message}`;
    changes.addWithoutRow({ ...header, kind: 'rewrite', cause });
  }
}

function decodeHeader(bytes: Uint8Array): Header {
  let file = '';
  let offset = 0;
  let serverId = 0;
  let executedAt = 0;
  let database = '';
  let table = '';
  walk(bytes, (field, reader) => {
    if (field === 2) file = reader.string();
    else if (field === 3) offset = int64(reader);
    else if (field === 4) serverId = int64(reader);
    else if (field === 6) executedAt = int64(reader);
    else if (field === 8) database = reader.string();
    else if (field === 9) table = reader.string();
    else return false;
    return true;
  });
  return { database, table, executedAt, position: { serverId, file, offset } };
}

function decodeRowChange(bytes: Uint8Array, header: Header, changes: DecodedChanges): void {
  let eventType = 0;
  let isDdl = false;
  let sql = '';
  let schema = '';
  const rows: Uint8Array[] = [];
  walk(bytes, (field, reader) => {
    if (field === 2) eventType = reader.int32();
    else if (field === 10) isDdl = reader.bool();
    else if (field === 11) sql = reader.string();
    else if (field === 12) rows.push(reader.bytes());
    else if (field === 14) schema = reader.string();
    else return false;
    return true;
  });
  const cause = sql && { cause: sql };
  if (XA_ENDS.has(eventType) || (isDdl && REWRITES.has(eventType)))
    return changes.addWithoutRow({ ...header, kind: 'rewrite', ...cause });
  const kind = isDdl ? undefined : KINDS[eventType];
  if (kind === undefined || rows.length === 0) {
    if (rows.length > 0) throw new Error(`rows of the event type ${eventType}`);
    if (cause)
      changes.addWithoutRow({
        ...header,
        database: schema || header.database,
        kind: 'statement',
        ...cause,
      });
    return;
  }
  if (!header.database || !header.table) throw new Error('it has no database or table');
  for (const row of rows) decodeRow(row, kind, header, changes);
}

function decodeRow(
  bytes: Uint8Array,
  kind: 'insert' | 'update' | 'delete',
  header: Header,
  changes: DecodedChanges,
): void {
  const before: Record<string, string | null> = {};
  const after: Record<string, string | null> = {};
  let ordinal: number | undefined;
  walk(bytes, (field, reader) => {
    if (field === 1) decodeColumn(reader.bytes(), before);
    else if (field === 2) decodeColumn(reader.bytes(), after);
    else if (field === 3) ordinal = decodeOrdinal(reader.bytes()) ?? ordinal;
    else return false;
    return true;
  });
  changes.add(
    {
      ...header,
      kind,
      before: kind === 'insert' ? null : before,
      after: kind === 'delete' ? null : after,
    },
    ordinal,
  );
}

function decodeColumn(bytes: Uint8Array, image: Record<string, string | null>): void {
  let name = '';
  let isNull = false;
  let value = '';
  walk(bytes, (field, reader) => {
    if (field === 3) name = reader.string();
    else if (field === 6) isNull = reader.bool();
    else if (field === 8) value = reader.string();
    else return false;
    return true;
  });
  const text = isNull ? null : value;
  // An assignment to this name would set the prototype.
  if (name === '__proto__')
    Object.defineProperty(image, name, { value: text, enumerable: true, configurable: true });
  else image[name] = text;
}

/** The ordinal that the relay gave the row; undefined for any other property. */
function decodeOrdinal(bytes: Uint8Array): number | undefined {
  let key = '';
  let value = '';
  walk(bytes, (field, reader) => {
    if (field === 1) key = reader.string();
    else if (field === 2) value = reader.string();
    else return false;
    return true;
  });
  if (key !== ORDINAL) return undefined;
  if (!/^\d+$/.test(value))
    throw new BadMessageError(`Canal's protobuf: the ordinal ${JSON.stringify(value)} of a row`);
  return Number(value);
}

/** One message in Canal's own form, with one entry for each of `events`. */
export function encodeProtobuf(events: readonly ChangedRows[]): Buffer {
  const writer = Writer.create();
  writer.uint32(24).int32(MESSAGES);
  writer.uint32(42).fork();
  writer.uint32(8).int64(0);
  for (const event of events) {
    writer.uint32(18).fork();
    encodeEntry(writer, event);
    writer.ldelim();
  }
  writer.ldelim();
  return Buffer.from(writer.finish());
}

function encodeEntry(writer: Writer, event: ChangedRows): void {
  writer.uint32(10).fork();
  writer.uint32(18).string(event.position.file);
  writer.uint32(24).int64(event.position.offset);
  writer.uint32(32).int64(event.position.serverId);
  writer.uint32(48).int64(event.executedAt);
  writer.uint32(66).string(event.database);
  writer.uint32(74).string(event.table);
  writer.uint32(88).int32(EVENT_TYPES[event.kind]);
  writer.ldelim();
  writer.uint32(16).int32(ROW_DATA);
  writer.uint32(26).fork();
  writer.uint32(16).int32(EVENT_TYPES[event.kind]);
  if (event.kind === 'rewrite' || event.kind === 'statement') writer.uint32(80).bool(true);
  if (event.cause) writer.uint32(90).string(event.cause);
  if (event.kind === 'statement') writer.uint32(114).string(event.database);
  for (const row of event.rows) encodeRow(writer, row);
  writer.ldelim();
}

function encodeRow(writer: Writer, { ordinal, before, after }: ChangedRow): void {
  writer.uint32(98).fork();
  if (before) encodeImage(writer, 10, before);
  if (after) encodeImage(writer, 18, after);
  if (ordinal > 0) {
    writer.uint32(26).fork();
    writer.uint32(10).string(ORDINAL);
    writer.uint32(18).string(String(ordinal));
    writer.ldelim();
  }
  writer.ldelim();
}

function encodeImage(writer: Writer, tag: number, image: RowImage): void {
  for (const [name, value] of Object.entries(image)) {
    writer.uint32(tag).fork();
    writer.uint32(26).string(name);
    if (value === null) writer.uint32(48).bool(true);
    else writer.uint32(66).string(value);
    writer.ldelim();
  }
}

/** Tags and lengths of a row and of its ordinal, and the growth of the lengths around them. */
const ROW_BYTES = 48;
/** Tags and lengths of a column. */
const COLUMN_BYTES = 16;

/** At most how many bytes the row adds to a message that has its event. */
export function maxRowBytes({ before, after }: ChangedRow): number {
  return ROW_BYTES + maxImageBytes(before) + maxImageBytes(after);
}

function maxImageBytes(image: RowImage | null): number {
  let bytes = 0;
  // UTF-8 takes at most 3 bytes for each code unit of UTF-16.
  for (const name in image) bytes += COLUMN_BYTES + 3 * (name.length + (image[name]?.length ?? 0));
  return bytes;
}
