/**
 * The result of `work`, or a rejection when that takes longer. The work itself goes on; a caller that
 * must stop it does so in `onTimeout`.
 * @param onTimeout gives the error to reject with
 */
export async function withTimeout<T>(
  timeoutMs: number,
  work: Promise<T>,
  onTimeout: () => Error = () => new Error(`no answer within ${timeoutMs} ms`),
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(onTimeout()), timeoutMs);
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
