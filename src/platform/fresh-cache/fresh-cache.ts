import { LRUCache } from 'lru-cache';

interface Entry<V> {
  readonly value: V;
  /** Milliseconds of the monotonic clock until which it may be served. */
  readonly until: number;
}

export interface FreshCacheOptions {
  /** Milliseconds for which a value is served, counted from the start of its load. */
  ttlMs: number;
  /** Entries kept at most; the least recently used go first. */
  max: number;
}

/**
 * Values read from the database and served for a moment, with one load per key at a time. After
 * `forget` no caller gets a value whose load had begun before it, so this process sees its own
 * changes at once; other processes see them within the TTL.
 */
export class FreshCache<K extends string | number, V> {
  private readonly entries: LRUCache<K, Entry<V>>;
  private readonly loads = new Map<K, Promise<V>>();
  /** Raised by every `forget`: a load that spans one is not kept. */
  private changes = 0;

  constructor(
    private readonly options: FreshCacheOptions,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.entries = new LRUCache({ max: options.max });
  }

  /** The value if it is fresh; `undefined` otherwise. */
  peek(key: K): V | undefined {
    const entry = this.entries.get(key);
    return entry !== undefined && entry.until > this.now() ? entry.value : undefined;
  }

  /** The fresh value, or what `load` gives, shared with all who ask meanwhile. */
  async get(key: K, load: () => Promise<V>): Promise<V> {
    const value = this.peek(key);
    // Not `??`: null is a value too, e.g. of a row that does not exist.
    return value === undefined ? (this.loads.get(key) ?? this.load(key, load)) : value;
  }

  /**
   * The fresh values, and those that are being loaded or that `loadMissing`, which must give all that
   * it is asked for, loads in one go; likewise shared with all who ask meanwhile.
   */
  async getMany(
    keys: readonly K[],
    loadMissing: (missing: K[]) => Promise<Map<K, V>>,
  ): Promise<Map<K, V>> {
    const found = new Map<K, V>();
    const loading = new Map<K, Promise<V>>();
    const missing: K[] = [];
    for (const key of new Set(keys)) {
      const value = this.peek(key);
      const load = this.loads.get(key);
      if (value !== undefined) found.set(key, value);
      else if (load) loading.set(key, load);
      else missing.push(key);
    }
    if (missing.length > 0) {
      // Not before each of the keys has begun its load: a change meanwhile concerns them all.
      const all = Promise.resolve().then(() => loadMissing(missing));
      for (const key of missing)
        loading.set(
          key,
          this.load(key, async () => (await all).get(key) as V),
        );
    }
    await Promise.all([...loading].map(async ([key, load]) => found.set(key, await load)));
    return found;
  }

  /** To be called after the change of `key` is committed. */
  forget(key: K): void {
    this.changes++;
    this.entries.delete(key);
    this.loads.delete(key);
  }

  private load(key: K, load: () => Promise<V>): Promise<V> {
    const keep = this.keeper();
    const loading = load()
      .then((value) => {
        keep(key, value);
        return value;
      })
      .finally(() => {
        if (this.loads.get(key) === loading) this.loads.delete(key);
      });
    this.loads.set(key, loading);
    return loading;
  }

  /** Taken at the start of a load: keeps its values unless something was forgotten meanwhile. */
  private keeper(): (key: K, value: V) => void {
    const { changes } = this;
    const until = this.now() + this.options.ttlMs;
    return (key, value) => {
      if (this.changes === changes) this.entries.set(key, { value, until });
    };
  }
}
