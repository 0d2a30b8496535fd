/**
 * Loads many keys at once, and each key only once at a time in this process: who asks for a key that
 * is being loaded shares that load.
 */
export class BatchLoader<Key, Value> {
  private readonly running = new Map<string, Promise<Value>>();

  /**
   * @param nameOf what tells keys apart
   * @param loadAll gives the values in the order of the keys
   */
  constructor(
    private readonly nameOf: (key: Key) => string,
    private readonly loadAll: (keys: readonly Key[]) => Promise<readonly Value[]>,
  ) {}

  /** The values in the order of the keys. */
  load(keys: readonly Key[]): Promise<Value[]> {
    const missing = new Map<string, Key>();
    for (const key of keys) {
      const name = this.nameOf(key);
      if (!this.running.has(name)) missing.set(name, key);
    }
    if (missing.size > 0) this.begin(missing);
    return Promise.all(keys.map((key) => this.running.get(this.nameOf(key)) as Promise<Value>));
  }

  private begin(missing: ReadonlyMap<string, Key>): void {
    const all = (async () => this.loadAll([...missing.values()]))();
    [...missing.keys()].forEach((name, i) => {
      const one = all.then((values) => values[i] as Value).finally(() => this.running.delete(name));
      // Whoever asked hears of a failure; this copy has no other listener.
      one.catch(() => undefined);
      this.running.set(name, one);
    });
  }
}
