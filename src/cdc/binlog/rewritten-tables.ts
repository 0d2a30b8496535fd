/** Quoted texts, comments, the opening of a text that only some servers run, and words. */
const TOKENS =
  /`(?:[^`]|``)*`|"(?:[^"\\]|\\.|"")*"|'(?:[^'\\]|\\.|'')*'|\/\*(?!M?!)[^]*?\*\/|\/\*M?!\d*|(?:#|--(?=\s|$)).*|[\p{L}\p{N}_$]+/gu;
const IS_WORD = /^[\p{L}\p{N}_$]/u;
/** Statements that change no row, by their first words. */
const HARMLESS =
  /^(BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|XA|GRANT|REVOKE|FLUSH|CREATE (?!OR REPLACE)|ANALYZE( \w+)? TABLE|SET (?!STATEMENT))/;
const DROPS_DATABASE = /^DROP (DATABASE|SCHEMA)/;

/**
 * The captured tables whose rows a statement in the binlog may have changed, or removed, without row
 * events: by DDL such as TRUNCATE, or since it was logged as a statement (binlog_format=STATEMENT). In
 * doubt a table is included: reading again what is derived from it does no harm.
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
  const own = database.toLowerCase();
  const isOwn = schema.toLowerCase() === own;
  if (!isOwn && !statement.toLowerCase().includes(own)) return [];
  const words: string[] = [];
  // Case is ignored, since only some servers distinguish it in names.
  const names = new Set<string>();
  for (const [token] of statement.matchAll(TOKENS)) {
    if (IS_WORD.test(token)) {
      if (words.length < 3) words.push(token.toUpperCase());
      names.add(token.toLowerCase());
    } else if (/^[`"]/.test(token)) names.add(token.slice(1, -1).toLowerCase());
  }
  const start = `${words.join(' ')} `;
  if (HARMLESS.test(start)) return [];
  if (DROPS_DATABASE.test(start)) return names.has(own) ? [...tables] : [];
  if (!isOwn && !names.has(own)) return [];
  return tables.filter((table) => names.has(table));
}
