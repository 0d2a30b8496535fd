import { BadMessageError } from '../../messaging';
import type { RowChange, RowImage } from '../row-change';

const KINDS: Record<string, 'insert' | 'update' | 'delete'> = {
  INSERT: 'insert',
  UPDATE: 'update',
  DELETE: 'delete',
};

/** DDL that may change or remove rows, and the end of a transaction whose rows were not committed. */
const REWRITES = new Set(['ALTER', 'ERASE', 'TRUNCATE', 'RENAME', 'XACOMMIT', 'XAROLLBACK']);

/** Canal's flat JSON: one or more rows of one table; `old` contains only the changed columns. */
interface FlatMessage {
  data: unknown;
  old: unknown;
  database: unknown;
  table: unknown;
  type: unknown;
  isDdl: unknown;
  es: unknown;
  sql: unknown;
}

/**
 * The changes in a flat JSON message. A row that cannot be read is a rewrite in their place.
 * @throws BadMessageError when it is not such a message
 */
export function decodeFlat(bytes: Buffer): RowChange[] {
  let message: FlatMessage;
  try {
    message = JSON.parse(bytes.toString('utf8')) as FlatMessage;
  } catch (error) {
    throw new BadMessageError(`not Canal's flat JSON: ${(error as Error).message}`);
  }
  const { type, isDdl, data, old, es, sql } = message;
  if (typeof type !== 'string') throw new BadMessageError("Canal's flat JSON without a type");
  const common = {
    database: textOf(message.database),
    table: textOf(message.table),
    before: null,
    after: null,
    position: null,
    ordinal: 0,
    executedAt: typeof es === 'number' ? es : 0,
  };
  const hasSql = typeof sql === 'string' && sql !== '';
  if (REWRITES.has(type)) return [{ ...common, kind: 'rewrite', ...(hasSql && { cause: sql }) }];
  const kind = isDdl === true ? undefined : KINDS[type];
  if (!kind || (data === null && hasSql))
    return hasSql ? [{ ...common, kind: 'statement', cause: sql }] : [];
  if (!common.database || !common.table)
    throw new BadMessageError("Canal's flat JSON without a database or table");
  if (typeof es !== 'number') throw new BadMessageError("Canal's flat JSON without a time");
  if (!Array.isArray(data)) throw new BadMessageError(`Canal's flat JSON: ${type} without data`);
  return data.map((row: unknown, ordinal): RowChange => {
    try {
      const image = imageOf(row);
      const former = Array.isArray(old) ? (old as unknown[])[ordinal] : undefined;
      const before =
        kind === 'insert'
          ? null
          : kind === 'delete'
            ? image
            : { ...image, ...imageOf(former ?? {}) };
      return { ...common, kind, before, after: kind === 'delete' ? null : image, ordinal };
    } catch (error) {
      const cause = `a row of ${common.table} is unreadable: ${(error as Error).message}`;
      return { ...common, kind: 'rewrite', cause };
    }
  });
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

function imageOf(row: unknown): RowImage {
  if (typeof row !== 'object' || row === null || Array.isArray(row))
    throw new BadMessageError("Canal's flat JSON: a row is no object");
  for (const value of Object.values(row))
    if (value !== null && typeof value !== 'string')
      throw new BadMessageError("Canal's flat JSON: a value is neither text nor null");
  return row as RowImage;
}
