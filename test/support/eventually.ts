/** Between two checks. */
const PAUSE_MS = 25;

/**
 * Waits until `check` does not throw, and returns its result.
 * @throws the last error of `check` after `timeoutMs` (a minute by default)
 */
export async function eventually<T>(
  check: () => Promise<T> | T,
  { timeoutMs = 60_000 }: { timeoutMs?: number } = {},
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}
