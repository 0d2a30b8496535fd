/** Shards of a table are numbered 00 to 99. */
const shards = (table: string): string[] =>
  Array.from({ length: 100 }, (_, shard) => `${table}_${String(shard).padStart(2, '0')}`);

const HASH_COLUMNS: ReadonlyMap<string, string> = new Map([
  ['interactives', 'biz_id'],
  ...shards('follows').map((table): [string, string] => [table, 'from_user_id']),
  ...shards('fans').map((table): [string, string] => [table, 'to_user_id']),
]);

/** The tables whose changes are captured, whether they exist yet or not. */
export const capturedTables: readonly string[] = [...HASH_COLUMNS.keys()];

/**
 * The column by whose value a captured table's rows are spread over the partitions, or undefined
 * when the table is not captured. Says the same as canal.mq.partitionHash in canal/conf.
 */
export function hashColumnOf(table: string): string | undefined {
  return HASH_COLUMNS.get(table);
}
