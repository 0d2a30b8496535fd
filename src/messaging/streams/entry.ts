import type { OutgoingMessage, RawMessage } from '../event-log';

/**
 * An entry as Redis answers it: its id, `<offset of its last message>-1`, and its fields and values in
 * turn, all bytes. `append.lua` writes t, milliseconds since the epoch, and m, the messages.
 */
export type StreamEntry = [id: Buffer, fields: Buffer[]];

/** Bytes of messages that share an entry; a larger message has one of its own. */
const ENTRY_BYTES = 32_000;
/** Bytes before each message: the lengths of its key, headers and value, 32 bits each. */
const LENGTHS = 12;
/** The length of a key that there is not. */
const NONE = 0xffffffff;
const NO_HEADERS = Object.freeze({});

/** Some of the messages of an append, as an entry holds them. */
export interface Packed {
  readonly count: number;
  readonly bytes: Buffer;
}

/**
 * The messages in their order, many an entry: Redis and Node take entries one by one, so that small
 * messages would cost more for that than for what is in them.
 */
export function* pack(messages: readonly OutgoingMessage[]): Generator<Packed> {
  let parts: Buffer[] = [];
  let count = 0;
  let size = 0;
  for (const { key, value, headers } of messages) {
    const keyBytes = Buffer.from(key ?? '');
    const headerBytes = Buffer.from(headers ? JSON.stringify(headers) : '');
    const lengths = Buffer.allocUnsafe(LENGTHS);
    lengths.writeUInt32LE(key === null ? NONE : keyBytes.length, 0);
    lengths.writeUInt32LE(headerBytes.length, 4);
    lengths.writeUInt32LE(value.length, 8);
    const bytes = LENGTHS + keyBytes.length + headerBytes.length + value.length;
    if (count > 0 && size + bytes > ENTRY_BYTES) {
      yield { count, bytes: Buffer.concat(parts, size) };
      parts = [];
      count = 0;
      size = 0;
    }
    parts.push(lengths, keyBytes, headerBytes, value);
    count++;
    size += bytes;
  }
  if (count > 0) yield { count, bytes: Buffer.concat(parts, size) };
}

/**
 * The messages of an entry. One of another form, which somebody else has written, is one message
 * without a value that a topic takes, and is put aside by whoever decodes it.
 */
export function messagesOf(partition: number, [id, fields]: StreamEntry): RawMessage[] {
  const last = leadingNumber(id);
  const timestamp = fields[1] === undefined ? 0 : leadingNumber(fields[1]);
  const packed = fields[3];
  const messages = packed === undefined ? [] : unpack(partition, timestamp, packed);
  if (messages.length === 0) {
    const value = Buffer.alloc(0);
    return [{ key: null, value, partition, offset: last, timestamp, headers: NO_HEADERS }];
  }
  const first = last - messages.length + 1;
  messages.forEach((message, i) => (message.offset = first + i));
  return messages;
}

/** @returns none when the bytes are not what `pack` makes; the offsets are still to be set */
function unpack(
  partition: number,
  timestamp: number,
  packed: Buffer,
): (RawMessage & { offset: number })[] {
  const messages = [];
  for (let at = 0; at < packed.length;) {
    if (at + LENGTHS > packed.length) return [];
    const keyLength = packed.readUInt32LE(at);
    const headersAt = at + LENGTHS + (keyLength === NONE ? 0 : keyLength);
    const valueAt = headersAt + packed.readUInt32LE(at + 4);
    const end = valueAt + packed.readUInt32LE(at + 8);
    if (end > packed.length) return [];
    messages.push({
      key: keyLength === NONE ? null : packed.toString('utf8', at + LENGTHS, headersAt),
      value: packed.subarray(valueAt, end),
      partition,
      offset: 0,
      timestamp,
      headers: headersAt === valueAt ? NO_HEADERS : headersOf(packed, headersAt, valueAt),
    });
    at = end;
  }
  return messages;
}

/** Digits of ASCII to a number; the id's part before "-", or a whole timestamp. */
function leadingNumber(bytes: Buffer): number {
  let number = 0;
  for (const byte of bytes) {
    if (byte < 48 || byte > 57) break;
    number = number * 10 + (byte - 48);
  }
  return number;
}

/** Headers that nobody can read say nothing: what others wrote must not keep a partition from being read. */
function headersOf(packed: Buffer, from: number, to: number): Readonly<Record<string, string>> {
  try {
    const headers: unknown = JSON.parse(packed.toString('utf8', from, to));
    if (typeof headers !== 'object' || headers === null) return NO_HEADERS;
    return headers as Record<string, string>;
  } catch {
    return NO_HEADERS;
  }
}
