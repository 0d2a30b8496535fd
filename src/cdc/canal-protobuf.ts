import { Reader, Writer } from 'protobufjs/minimal';
import { BadMessageError } from '../messaging';
import type { ChangePosition, RowChange, RowImage } from './row-change';

/*
 * The fields of Canal's CanalProtocol.proto and EntryProtocol.proto that are read and written here:
 *   Packet    { type = 3; compression = 4; body = 5 }       type 7: body is Messages
 *   Messages  { batchId = 1; messages = 2 … }               each an Entry
 *   Entry     { header = 1; entryType = 2; storeValue = 3 } entryType 2: storeValue is a RowChange
 *   Header    { logfileName = 2; logfileOffset = 3; serverId = 4; executeTime = 6; schemaName = 8;
 *               tableName = 9; eventType = 11 }
 *   RowChange { eventType = 2; isDdl = 10; rowDatas = 12 … }
 *   RowData   { beforeColumns = 1 …; afterColumns = 2 … }
 *   Column    { name = 3; isNull = 6; value = 8 }
 * Read by hand rather than by reflection: a board's latency and throughput hang on it.
 */
const MESSAGES = 7;
const NO_COMPRESSION = 1;
const ROW_DATA = 2;
const KINDS: Record<number, RowChange['kind']> = { 1: 'insert', 2: 'update', 3: 'delete' };
/** ALTER, ERASE, TRUNCATE and RENAME: the DDL that does not leave a table's rows as they are. */
const REWRITES = new Set([5, 6, 8, 9]);
/** Whatever it was, a rewrite is encoded as TRUNCATE. */
const EVENT_TYPES: Record<RowChange['kind'], number> = {
  insert: 1,
  update: 2,
  delete: 3,
  rewrite: 8,
};

type Fields = (field: number, reader: Reader) => boolean;

/** Walks a message's fields; `take` reads the ones it knows and says so, the rest is skipped. */
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
 * The changes of a protobuf message of Canal; none for transaction marks and for statements that
 * leave the rows as they are.
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
  const changes: RowChange[] = [];
  walk(body, (field, reader) => {
    if (field !== 2) return false;
    decodeEntry(reader.bytes(), changes);
    return true;
  });
  return changes;
}

interface Header {
  database: string;
  table: string;
  position: ChangePosition;
  executedAt: number;
}

function decodeEntry(bytes: Uint8Array, changes: RowChange[]): void {
  let header: Uint8Array | undefined;
  let entryType = ROW_DATA;
  let store: Uint8Array | undefined;
  walk(bytes, (field, reader) => {
    if (field === 1) header = reader.bytes();
    else if (field === 2) entryType = reader.int32();
    else if (field === 3) store = reader.bytes();
    else return false;
    return true;
  });
  if (entryType !== ROW_DATA || !store) return;
  if (!header) throw new BadMessageError("Canal's protobuf: an entry without a header");
  decodeRowChange(store, decodeHeader(header), changes);
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
  if (!database || !table)
    throw new BadMessageError("Canal's protobuf: an entry without a database or table");
  return { database, table, executedAt, position: { serverId, file, offset } };
}

function decodeRowChange(bytes: Uint8Array, header: Header, changes: RowChange[]): void {
  let eventType = 0;
  let isDdl = false;
  const rows: Uint8Array[] = [];
  walk(bytes, (field, reader) => {
    if (field === 2) eventType = reader.int32();
    else if (field === 10) isDdl = reader.bool();
    else if (field === 12) rows.push(reader.bytes());
    else return false;
    return true;
  });
  if (isDdl) {
    if (REWRITES.has(eventType))
      changes.push({ ...header, kind: 'rewrite', before: null, after: null });
    return;
  }
  const kind = KINDS[eventType];
  if (kind === undefined) return;
  for (const row of rows) {
    const before: Record<string, string | null> = {};
    const after: Record<string, string | null> = {};
    walk(row, (field, reader) => {
      if (field === 1) decodeColumn(reader.bytes(), before);
      else if (field === 2) decodeColumn(reader.bytes(), after);
      else return false;
      return true;
    });
    changes.push({
      ...header,
      kind,
      before: kind === 'insert' ? null : before,
      after: kind === 'delete' ? null : after,
    });
  }
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
  // An assignment would set the prototype.
  if (name === '__proto__')
    Object.defineProperty(image, name, { value: text, enumerable: true, configurable: true });
  else image[name] = text;
}

/** Changes of one binlog event that belong to one table, as the relay sends them. */
export interface ChangedRows {
  readonly database: string;
  readonly table: string;
  readonly kind: RowChange['kind'];
  readonly position: ChangePosition;
  readonly executedAt: number;
  /** None of a rewrite. */
  readonly rows: readonly { before: RowImage | null; after: RowImage | null }[];
}

/** One message in Canal's own form, of one entry for each of `events`. */
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
  if (event.kind === 'rewrite') writer.uint32(80).bool(true);
  for (const { before, after } of event.rows) {
    writer.uint32(98).fork();
    if (before) encodeImage(writer, 10, before);
    if (after) encodeImage(writer, 18, after);
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
