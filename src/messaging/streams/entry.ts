import type { RawMessage } from '../event-log';

/** An entry as Redis answers it: its id and its fields and values in turn, all bytes. */
export type StreamEntry = [id: Buffer, fields: Buffer[]];

const NO_HEADERS = Object.freeze({});

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
function headersOf(json: Buffer): Readonly<Record<string, string>> {
  try {
    const headers: unknown = JSON.parse(json.toString('utf8'));
    if (typeof headers !== 'object' || headers === null) return NO_HEADERS;
    return headers as Record<string, string>;
  } catch {
    return NO_HEADERS;
  }
}

/**
 * The message of an entry that `append.lua` wrote: fields t, k, v and perhaps h, in this order. One
 * of another form has no value that a topic takes, and is put aside by whoever decodes it.
 */
export function messageOf(partition: number, [id, fields]: StreamEntry): RawMessage {
  const key = fields[3];
  const headers = fields[7];
  return {
    key: key === undefined || key.length === 0 ? null : key.toString('utf8'),
    value: fields[5] ?? Buffer.alloc(0),
    partition,
    offset: leadingNumber(id),
    timestamp: fields[1] === undefined ? 0 : leadingNumber(fields[1]),
    headers: headers === undefined ? NO_HEADERS : headersOf(headers),
  };
}
