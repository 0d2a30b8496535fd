/** Intended size of one answer. */
const TARGET_BYTES = 2_000_000;
/** Messages to request when the last answer had few. */
const MIN_COUNT = 32;

/**
 * How many entries a read requests. Redis limits an answer only by their number, and one may have a
 * byte or a megabyte. The count aims at 2 MB, and is at most twice that of the last answer: a
 * backlog of small messages is soon read in large steps, and a burst of large ones does not fill
 * the memory.
 */
export class FetchSize {
  private next = MIN_COUNT;

  /** @param maxCount of a read, however small the entries are */
  constructor(private readonly maxCount: number) {}

  get count(): number {
    return this.next;
  }

  /** Call it after a read. @param count entries of the stream that returned the most */
  observe(count: number, bytes: number): void {
    const affordable = Math.max(1, Math.floor((count * TARGET_BYTES) / Math.max(1, bytes)));
    this.next = Math.min(this.maxCount, affordable, Math.max(MIN_COUNT, 2 * count));
  }
}
