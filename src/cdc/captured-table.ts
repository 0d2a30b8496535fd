/** A table whose changes are captured, whether it exists yet or not. Declared by its context. */
export interface CapturedTable {
  readonly name: string;
  /**
   * The column whose value picks a row's partition: rows of one value keep their order. The same
   * column stands in canal.mq.partitionHash in canal/conf.
   */
  readonly hashColumn: string;
}

/** The shards `prefix_00`, `prefix_01` and so on of a table. */
export function numberedTables(prefix: string, hashColumn: string, count = 100): CapturedTable[] {
  return Array.from({ length: count }, (_, number) => ({
    name: `${prefix}_${String(number).padStart(2, '0')}`,
    hashColumn,
  }));
}
