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

/** The message of an entry that `append.lua` wrote: fields t, k, v and perhaps h, in this order. */
export function messageOf(partition: number, [id, fields]: StreamEntry): RawMessage {
  const key = fields[3];
  const headers = fields[7];
  return {
    key: key === undefined || key.length === 0 ? null : key.toString('utf8'),
    value: fields[5] ?? Buffer.alloc(0),
    partition,
    offset: leadingNumber(id),
    timestamp: fields[1] === undefined ? 0 : leadingNumber(fields[1]),
    headers:
      headers === undefined
        ? NO_HEADERS
        : (JSON.parse(headers.toString('utf8')) as Record<string, string>),
  };
}
