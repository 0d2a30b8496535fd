import { createHash } from 'node:crypto';
import { ValidationFailedError } from './validation-failed.error';

export type CursorValue = string | number;
export type CursorKind = 'number' | 'string';
type ValueOf<Kind> = Kind extends 'number' ? number : string;
type ValuesOf<Kinds extends readonly CursorKind[]> = {
  -readonly [Index in keyof Kinds]: ValueOf<Kinds[Index]>;
};

export class InvalidCursorError extends ValidationFailedError {
  constructor() {
    super([{ field: 'cursor', message: 'is not a cursor of this list' }], 'INVALID_CURSOR');
  }
}

/**
 * Not a secret: a cursor names a position in a list that the caller may read anyway. The checksum
 * only detects a cursor that was truncated, edited or issued for another list.
 */
const checksum = (list: string, payload: string): string =>
  createHash('sha256').update(`${list}\n${payload}`).digest('base64url').slice(0, 8);

/**
 * The opaque text for a keyset position, i.e. the sort columns of a page's last row.
 * @param list the list's name with its filters
 */
export function encodeCursor(list: string, values: readonly CursorValue[]): string {
  const payload = Buffer.from(JSON.stringify(values)).toString('base64url');
  return `${payload}.${checksum(list, payload)}`;
}

/**
 * The keyset position that `encodeCursor` was given for that list; null without a cursor, which
 * means the first page.
 * @throws InvalidCursorError (400) for anything else
 */
export function decodeCursor<const Kinds extends readonly CursorKind[]>(
  list: string,
  text: string | undefined,
  kinds: Kinds,
): ValuesOf<Kinds> | null {
  if (text === undefined) return null;
  const [payload, sum, rest] = text.split('.');
  if (!payload || rest !== undefined || sum !== checksum(list, payload))
    throw new InvalidCursorError();
  const values = parse(payload);
  const fits =
    Array.isArray(values) &&
    values.length === kinds.length &&
    values.every((value, index) =>
      kinds[index] === 'number' ? Number.isSafeInteger(value) : typeof value === 'string',
    );
  if (!fits) throw new InvalidCursorError();
  return values as ValuesOf<Kinds>;
}

function parse(payload: string): unknown {
  try {
    return JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
  } catch {
    return null;
  }
}
