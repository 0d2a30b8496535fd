import { BadMessageError } from '../../messaging';
import type { RowChange, RowImage } from '../row-change';

const KINDS: Record<string, RowChange['kind']> = {
  INSERT: 'insert',
  UPDATE: 'update',
  DELETE: 'delete',
};

/** The DDL that may change or remove rows. */
const REWRITES = new Set(['ALTER', 'ERASE', 'TRUNCATE', 'RENAME']);

/** Canal's flat JSON: one or more rows of one table; `old` contains only the changed columns. */
interface FlatMessage {
  data: RowImage[] | null;
  old: (RowImage | null)[] | null;
  database: string;
  table: string;
  type: string;
  isDdl: boolean;
  es: number;
}

/**
 * The changes in a flat JSON message. Statements that change no row have none.
 * @throws BadMessageError when it is not such a message
 */
export function decodeFlat(bytes: Buffer): RowChange[] {
  let message: FlatMessage;
  try {
    message = JSON.parse(bytes.toString('utf8')) as FlatMessage;
  } catch (error) {
    throw new BadMessageError(`not Canal's flat JSON: ${(error as Error).message}`);
  }
  const { database, table, type, isDdl, data, old, es } = message;
  if (typeof type !== 'string') throw new BadMessageError("Canal's flat JSON without a type");
  const kind = isDdl ? REWRITES.has(type) && 'rewrite' : KINDS[type];
  if (!kind) return [];
  if (typeof database !== 'string' || typeof table !== 'string')
    throw new BadMessageError("Canal's flat JSON without a database or table");
  if (typeof es !== 'number') throw new BadMessageError("Canal's flat JSON without a time");
  if (kind === 'rewrite')
    return [
      {
        database,
        table,
        kind,
        before: null,
        after: null,
        position: null,
        ordinal: 0,
        executedAt: es,
      },
    ];
  if (!Array.isArray(data)) throw new BadMessageError(`Canal's flat JSON: ${type} without data`);
  return data.map((row, ordinal) => {
    const image = imageOf(row);
    const before =
      kind === 'insert'
        ? null
        : kind === 'delete'
          ? image
          : { ...image, ...imageOf(old?.[ordinal] ?? {}) };
    const after = kind === 'delete' ? null : image;
    return { database, table, kind, before, after, position: null, ordinal, executedAt: es };
  });
}

function imageOf(row: unknown): RowImage {
  if (typeof row !== 'object' || row === null)
    throw new BadMessageError("Canal's flat JSON: a row is no object");
  for (const value of Object.values(row))
    if (value !== null && typeof value !== 'string')
      throw new BadMessageError("Canal's flat JSON: a value is neither text nor null");
  return row as RowImage;
}
