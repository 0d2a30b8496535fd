import type { CapturedTable } from './captured-table';

/** The tables of all contexts whose changes are captured. */
export class CapturedTables {
  readonly names: readonly string[];
  private readonly hashColumns: ReadonlyMap<string, string>;

  /** @throws Error when two contexts declare the same table */
  constructor(readonly list: readonly CapturedTable[]) {
    this.names = list.map(({ name }) => name);
    this.hashColumns = new Map(list.map(({ name, hashColumn }) => [name, hashColumn]));
    const twice = this.names.find((name, index) => this.names.indexOf(name) !== index);
    if (twice !== undefined) throw new Error(`the captured table ${twice} is declared twice`);
  }

  /** The column whose value picks the partition of the table's rows; undefined when not captured. */
  hashColumnOf(table: string): string | undefined {
    return this.hashColumns.get(table);
  }
}
