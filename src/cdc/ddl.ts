import { capturedTables } from './captured-tables';

/** Statements that change or remove a table's rows without telling of a row. */
const REWRITES = /^\s*(TRUNCATE|DROP|RENAME|ALTER|CREATE\s+OR\s+REPLACE)\b/i;
const COMMENTS = /\/\*(?!M?!)[^]*?\*\/|(?:#|-- ).*$/gm;
/** MySQL runs what is in these: only their marks go. */
const CONDITIONS = /\/\*M?!\d*|\*\//g;
const NAMES = /`[^`]+`|"[^"]+"|[\w$]+/g;

/**
 * The captured tables of which a statement may have changed or removed rows without row events. In
 * doubt they are named: what is derived from them is then read anew for nothing, and no harm is done.
 * @param schema in which unqualified names are meant
 * @param database whose tables are captured
 */
export function rewrittenTables(statement: string, schema: string, database: string): string[] {
  const text = statement.replace(COMMENTS, ' ').replace(CONDITIONS, ' ');
  if (!REWRITES.test(text)) return [];
  // Without regard to case, which only some servers heed in names.
  const names = new Set(
    (text.toLowerCase().match(NAMES) ?? []).map((name) => name.replace(/[`"]/g, '')),
  );
  const own = database.toLowerCase();
  if (schema.toLowerCase() !== own && !names.has(own)) return [];
  return capturedTables.filter((table) => names.has(table));
}
