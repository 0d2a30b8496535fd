import { pause } from './pause';

/**
 * Waits for work until it ends, or for so long at most; then it goes on in the background.
 * @param onLateFailure gets an error of the work after that time; an earlier one is thrown
 */
export async function waitAtMost(
  milliseconds: number,
  work: Promise<unknown>,
  onLateFailure: (error: unknown) => void,
): Promise<void> {
  const isOver = new AbortController();
  const watched = work.catch((error: unknown) => {
    if (!isOver.signal.aborted) throw error;
    onLateFailure(error);
  });
  try {
    await Promise.race([watched, pause(milliseconds, isOver.signal)]);
  } finally {
    isOver.abort();
  }
}
