/** Prepared transactions that are remembered; more are taken to have changed captured tables. */
const MAX_PREPARED = 10_000;

/**
 * The XA transactions in a binlog. Their rows are logged when they are prepared: only a later statement
 * says whether they were committed.
 */
export class XaTransactions {
  /** Captured tables with rows in a prepared transaction, by its name. */
  private readonly prepared = new Map<string, ReadonlySet<string>>();
  private current: { readonly name: string; readonly tables: Set<string> } | undefined;

  /** Whether the rows that follow are only prepared. */
  get isOpen(): boolean {
    return this.current !== undefined;
  }

  start(name: string): void {
    this.current = { name, tables: new Set() };
  }

  /** The open transaction has rows of this table. */
  touch(table: string): void {
    this.current?.tables.add(table);
  }

  /** The open transaction is prepared. */
  prepare(): void {
    const { current } = this;
    this.current = undefined;
    if (!current) return;
    this.prepared.set(current.name, current.tables);
    if (this.prepared.size > MAX_PREPARED) this.prepared.delete(this.prepared.keys().next().value!);
  }

  /** The open transaction, if there is one, ends unprepared. @returns the tables that it has rows of */
  end(): Iterable<string> {
    const tables = this.current?.tables ?? [];
    this.current = undefined;
    return tables;
  }

  /** @returns the tables whose rows were committed; undefined when it was prepared out of sight */
  commit(name: string): Iterable<string> | undefined {
    const tables = this.prepared.get(name);
    this.prepared.delete(name);
    return tables;
  }

  rollback(name: string): void {
    this.prepared.delete(name);
  }
}
