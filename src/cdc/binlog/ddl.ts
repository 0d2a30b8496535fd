/** Statements that change or remove a table's rows without a row event for each. */
const REWRITES = /^\s*(TRUNCATE|DROP|RENAME|ALTER|CREATE\s+OR\s+REPLACE)\b/i;
const COMMENTS = /\/\*(?!M?!)[^]*?\*\/|(?:#|-- ).*$/gm;
/** MySQL runs the text inside these: only the marks around it are removed. */
const CONDITIONS = /\/\*M?!\d*|\*\//g;
const NAMES = /`[^`]+`|"[^"]+"|[\w$]+/g;

/**
 * The captured tables whose rows a statement may have changed or removed without row events. In doubt
 * a table is included: reloading what is derived from it does no harm.
 * @param schema to which unqualified names belong
 * @param database whose tables are captured
 * @param tables the captured tables' names
 */
export function rewrittenTables(
  statement: string,
  schema: string,
  database: string,
  tables: readonly string[],
): string[] {
  const text = statement.replace(COMMENTS, ' ').replace(CONDITIONS, ' ');
  if (!REWRITES.test(text)) return [];
  // Case is ignored, since only some servers distinguish it in names.
  const names = new Set(
    (text.toLowerCase().match(NAMES) ?? []).map((name) => name.replace(/[`"]/g, '')),
  );
  const own = database.toLowerCase();
  if (schema.toLowerCase() !== own && !names.has(own)) return [];
  return tables.filter((table) => names.has(table));
}
