import { FetchSize } from './fetch-size';

describe('FetchSize', () => {
  /**
   * Reads a backlog of messages of one size.
   * @returns bytes of the largest answer, number of reads
   */
  const drain = (size: FetchSize, messages: number, bytes: number) => {
    let largest = 0;
    let reads = 0;
    for (let left = messages; left > 0; reads++) {
      const read = Math.min(left, size.count);
      size.observe(read, read * bytes);
      largest = Math.max(largest, read * bytes);
      left -= read;
    }
    return { largest, reads };
  };

  it('soon reads many small messages at a time', () => {
    expect(drain(new FetchSize(2_000), 100_000, 100).reads).toBeLessThan(60);
  });

  it('reads few large messages at a time, also after small ones', () => {
    const size = new FetchSize(2_000);
    drain(size, 50, 1_000_000);
    expect(size.count).toBeLessThanOrEqual(2);
    drain(size, 100_000, 10);
    // The last small message is alone, as without a backlog.
    size.observe(1, 10);
    expect(drain(size, 1_000, 60_000).largest).toBeLessThan(8_000_000);
  });
});
