/** Bytes of one answer to aim at. */
const BYTES = 2_000_000;
/** Messages that are asked for when little came last. */
const FEWEST = 32;

/**
 * How many messages a read asks for, since Redis counts messages only and one may have a byte or a
 * megabyte: as many as are likely to have 2 MB, and at most twice what came last. So a backlog of
 * small messages is soon read in large steps, and a burst of large ones is no flood.
 */
export class FetchSize {
  private next = FEWEST;

  /** @param most messages of a read, however small they are */
  constructor(private readonly most: number) {}

  get count(): number {
    return this.next;
  }

  /** Tells what a read gave. @param messages of the stream that gave the most */
  observe(messages: number, bytes: number): void {
    const affordable = Math.max(1, Math.floor((messages * BYTES) / Math.max(1, bytes)));
    this.next = Math.min(this.most, affordable, Math.max(FEWEST, 2 * messages));
  }
}
