import type { OutgoingMessage, RawMessage } from '../event-log';

/**
 * An entry as Redis returns it: its id, `<offset of its last message>-1`, then its fields and
 * values alternating, all as bytes. `append.lua` writes the fields t, milliseconds since the epoch,
 * and m, the messages.
 */
export type StreamEntry = [id: Buffer, fields: Buffer[]];

/** Messages share an entry up to this size; a larger message has a separate entry. */
const ENTRY_BYTES = 32_000;
/** Size of what precedes each message: the lengths of its key, headers and value, 32 bits each. */
const LENGTHS_BYTES = 12;
/** Stands for the length of the key when a message has none. */
const NO_KEY = 0xffffffff;
const NO_HEADERS = Object.freeze({});

/** Some messages of an append, in the form of an entry. */
export interface PackedMessages {
  readonly count: number;
  readonly bytes: Buffer;
}

/**
 * The messages in their order, many per entry: Redis and Node handle entries one by one, which
 * would cost more than the content of small messages.
 */
export function* pack(messages: readonly OutgoingMessage[]): Generator<PackedMessages> {
  let parts: Buffer[] = [];
  let count = 0;
  let size = 0;
  for (const { key, value, headers } of messages) {
    const keyBytes = Buffer.from(key ?? '');
    const headerBytes = Buffer.from(headers ? JSON.stringify(headers) : '');
    const lengths = Buffer.allocUnsafe(LENGTHS_BYTES);
    lengths.writeUInt32LE(key === null ? NO_KEY : keyBytes.length, 0);
    lengths.writeUInt32LE(headerBytes.length, 4);
    lengths.writeUInt32LE(value.length, 8);
    const bytes = LENGTHS_BYTES + keyBytes.length + headerBytes.length + value.length;
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
 * The messages of an entry. An entry of another form, written by another program, is returned as
 * one message with an empty value, which no topic accepts: the consumer dead-letters it.
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

/** @returns no messages when the bytes are not from `pack`. The caller must set the offsets */
function unpack(
  partition: number,
  timestamp: number,
  packed: Buffer,
): (RawMessage & { offset: number })[] {
  const messages = [];
  for (let at = 0; at < packed.length;) {
    if (at + LENGTHS_BYTES > packed.length) return [];
    const keyLength = packed.readUInt32LE(at);
    const headersAt = at + LENGTHS_BYTES + (keyLength === NO_KEY ? 0 : keyLength);
    const valueAt = headersAt + packed.readUInt32LE(at + 4);
    const end = valueAt + packed.readUInt32LE(at + 8);
    if (end > packed.length) return [];
    messages.push({
      key: keyLength === NO_KEY ? null : packed.toString('utf8', at + LENGTHS_BYTES, headersAt),
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

/** The number that ASCII digits begin with: the part of an id before "-", or a timestamp. */
function leadingNumber(bytes: Buffer): number {
  let number = 0;
  for (const byte of bytes) {
    if (byte < 48 || byte > 57) break;
    number = number * 10 + (byte - 48);
  }
  return number;
}

/** Unreadable headers count as none: what another program wrote must not block the partition. */
function headersOf(packed: Buffer, from: number, to: number): Readonly<Record<string, string>> {
  try {
    const headers: unknown = JSON.parse(packed.toString('utf8', from, to));
    if (typeof headers !== 'object' || headers === null) return NO_HEADERS;
    return headers as Record<string, string>;
  } catch {
    return NO_HEADERS;
  }
}
