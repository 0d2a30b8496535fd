/**
 * Limits how many keys one owner's requests may create in a shared cache in a minute. A client that asks
 * for ever new things must not fill the cache: beyond the limit its loads are answered, but not stored.
 */
export class KeyBudget {
  private minute = 0;
  private readonly used = new Map<number, number>();

  constructor(private readonly now: () => number = Date.now) {}

  /**
   * @param owner whose requests are counted, e.g. a user id
   * @param limit keys a minute
   * @returns whether the owner may create so many more keys
   */
  take(owner: number, keys: number, limit: number): boolean {
    const minute = Math.floor(this.now() / 60_000);
    if (minute !== this.minute) this.used.clear();
    this.minute = minute;
    const used = (this.used.get(owner) ?? 0) + keys;
    if (used > limit) return false;
    this.used.set(owner, used);
    return true;
  }
}
