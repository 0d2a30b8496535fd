import { LRUCache } from 'lru-cache';

interface Entry<V> {
  readonly value: V;
  /** Until when it may be served, in milliseconds of the monotonic clock. */
  readonly until: number;
}

export interface FreshCacheOptions {
  /** How long a value is served, counted from the start of its load. */
  ttlMs: number;
  /** The most entries; the least recently used are dropped first. */
  max: number;
}

/**
 * Values of the database that are served for a short time, with one load per key at a time. After
 * `forget` no caller gets a value whose load started before it: this process sees its own changes at
 * once, other processes see them within the TTL.
 */
export class FreshCache<K extends string | number, V> {
  private readonly entries: LRUCache<K, Entry<V>>;
  private readonly loads = new Map<K, Promise<V>>();
  /** Raised by every `forget`: the value of a load that spans one is not stored. */
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

  /** The fresh value, or the result of `load`, shared with all callers that ask meanwhile. */
  async get(key: K, load: () => Promise<V>): Promise<V> {
    const value = this.peek(key);
    // Not `??`: null is a value too, e.g. for a row that does not exist.
    return value === undefined ? (this.loads.get(key) ?? this.load(key, load)) : value;
  }

  /**
   * The fresh values, those that are being loaded, and those that `loadMissing` loads together; shared
   * with all callers that ask meanwhile.
   * @param loadMissing must return a value for every key
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
      // Not before each key has started its load: a change meanwhile concerns all of them.
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

  /** Call it after a change of `key` was committed. */
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

  /** Made at the start of a load: stores its values unless `forget` was called meanwhile. */
  private keeper(): (key: K, value: V) => void {
    const { changes } = this;
    const until = this.now() + this.options.ttlMs;
    return (key, value) => {
      if (this.changes === changes) this.entries.set(key, { value, until });
    };
  }
}
