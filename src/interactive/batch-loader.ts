import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';

/** Keys with which a load is full; the next one begins to gather. */
const FULL = 1_000;
/** Milliseconds for which a load waits for the one before it. */
const PATIENCE = 50;

interface Gathering<Key, Value> {
  readonly keys: Map<string, Key>;
  /** By the names of the keys. */
  readonly values: Promise<ReadonlyMap<string, Value>>;
}

/**
 * Loads in one go what many ask for: a load gathers until the turn of the event loop ends, and while
 * another one is running. It begins after all who share it have asked, so that nobody gets what is
 * older than his question.
 */
export class BatchLoader<Key, Value> {
  private gathering: Gathering<Key, Value> | undefined;
  private latest: Promise<unknown> = Promise.resolve();

  /**
   * @param nameOf what tells keys apart
   * @param loadAll gives the values in the order of the keys
   */
  constructor(
    private readonly nameOf: (key: Key) => string,
    private readonly loadAll: (keys: readonly Key[]) => Promise<readonly Value[]>,
  ) {}

  /** The values in the order of the keys. */
  async load(keys: readonly Key[]): Promise<Value[]> {
    const { keys: gathered, values } = (this.gathering ??= this.gather());
    for (const key of keys) gathered.set(this.nameOf(key), key);
    if (gathered.size >= FULL) this.gathering = undefined;
    const loaded = await values;
    return keys.map((key) => loaded.get(this.nameOf(key)) as Value);
  }

  private gather(): Gathering<Key, Value> {
    const keys = new Map<string, Key>();
    const gathering = { keys, values: this.loadAfter(this.latest, keys) };
    this.latest = gathering.values.catch(() => undefined);
    return gathering;
  }

  private async loadAfter(
    previous: Promise<unknown>,
    keys: ReadonlyMap<string, Key>,
  ): Promise<ReadonlyMap<string, Value>> {
    // One that hangs holds up nobody who comes after it.
    await Promise.race([previous, pause(PATIENCE, undefined, { ref: false })]);
    await nextTurn();
    if (this.gathering?.keys === keys) this.gathering = undefined;
    const values = await this.loadAll([...keys.values()]);
    return new Map([...keys.keys()].map((name, i) => [name, values[i] as Value]));
  }
}
