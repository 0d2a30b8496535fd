/**
 * Runs `work` for each index below `count`, at most `connections` of them at a time. Node's fetch
 * opens one connection for each.
 */
export async function atOnce(
  count: number,
  connections: number,
  work: (index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: Math.min(connections, count) }, worker));
}

/** A random whole number from 0, below `limit`. */
export const below = (limit: number): number => Math.floor(Math.random() * limit);
