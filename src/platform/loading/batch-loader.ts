import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';

/** The most keys of a load; the next keys go to the next load. */
const LOAD_SIZE = 1_000;
/** How long a load waits for the one before it. */
const PREVIOUS_LOAD_TIMEOUT_MS = 50;

interface GatheringLoad<Key, Value> {
  readonly keys: Map<string, Key>;
  /** By the names of the keys. */
  readonly values: Promise<ReadonlyMap<string, Value>>;
}

/**
 * Loads in one query what many callers ask for. A load gathers keys until the turn of the event loop
 * ends, and while another load runs. It starts after all its callers have asked, so that no caller
 * receives data older than its request.
 */
export class BatchLoader<Key, Value> {
  private gathering: GatheringLoad<Key, Value> | undefined;
  private latest: Promise<unknown> = Promise.resolve();

  /**
   * @param nameOf a text that is equal for equal keys only
   * @param loadAll returns the values in the order of the keys
   */
  constructor(
    private readonly nameOf: (key: Key) => string,
    private readonly loadAll: (keys: readonly Key[]) => Promise<readonly Value[]>,
  ) {}

  /** The values in the order of the keys. */
  async load(keys: readonly Key[]): Promise<Value[]> {
    const { keys: gathered, values } = (this.gathering ??= this.gather());
    for (const key of keys) gathered.set(this.nameOf(key), key);
    if (gathered.size >= LOAD_SIZE) this.gathering = undefined;
    const loaded = await values;
    return keys.map((key) => loaded.get(this.nameOf(key)) as Value);
  }

  private gather(): GatheringLoad<Key, Value> {
    const keys = new Map<string, Key>();
    const gathering = { keys, values: this.loadAfter(this.latest, keys) };
    this.latest = gathering.values.catch(() => undefined);
    return gathering;
  }

  private async loadAfter(
    previous: Promise<unknown>,
    keys: ReadonlyMap<string, Key>,
  ): Promise<ReadonlyMap<string, Value>> {
    // A load that hangs must not delay the ones after it.
    await Promise.race([previous, pause(PREVIOUS_LOAD_TIMEOUT_MS, undefined, { ref: false })]);
    await nextTurn();
    if (this.gathering?.keys === keys) this.gathering = undefined;
    const values = await this.loadAll([...keys.values()]);
    return new Map([...keys.keys()].map((name, i) => [name, values[i] as Value]));
  }
}
