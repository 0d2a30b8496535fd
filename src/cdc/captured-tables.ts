const HASH_COLUMNS: readonly (readonly [RegExp, string])[] = [
  [/^interactives$/, 'biz_id'],
  [/^follows_\d+$/, 'from_user_id'],
  [/^fans_\d+$/, 'to_user_id'],
];

/**
 * The column by whose value a captured table's rows are spread over the partitions, or undefined
 * when the table is not captured. Says the same as canal.mq.partitionHash in canal/conf.
 */
export function hashColumnOf(table: string): string | undefined {
  return HASH_COLUMNS.find(([pattern]) => pattern.test(table))?.[1];
}
