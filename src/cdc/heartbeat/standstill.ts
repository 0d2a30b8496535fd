/** A group that is further behind than this is late. */
const LATE_MS = 5_000;
/**
 * A group that is late for this long stands. A takeover of the relay, or of a partition, takes a few
 * seconds; so does the first change after a pause of MySQL, or of this process.
 */
const PATIENCE_MS = 5_000;

/** Decides from its lag whether change capture stands for a group. */
export class Standstill {
  private lateSince: number | undefined;
  private standing = false;

  get stands(): boolean {
    return this.standing;
  }

  /**
   * @param lagMs how far the group is behind
   * @param now milliseconds of a clock that never jumps
   * @returns what begins or ends with this observation
   */
  observe(lagMs: number, now: number): 'begins' | 'ends' | undefined {
    if (lagMs <= LATE_MS) {
      const ended = this.standing;
      this.lateSince = undefined;
      this.standing = false;
      return ended ? 'ends' : undefined;
    }
    this.lateSince ??= now;
    if (this.standing || now - this.lateSince < PATIENCE_MS) return undefined;
    this.standing = true;
    return 'begins';
  }

  /** Nothing could be observed: what comes after it is not late since before it. */
  skip(): void {
    this.lateSince = undefined;
  }
}
