import { pause } from './pause';

export interface RetryOptions {
  /** How often the work is tried at most. */
  readonly attempts: number;
  /** Whether another attempt may succeed after this error; any other error is thrown at once. */
  isPassing(error: unknown): boolean;
  /** The error to throw after the last attempt. */
  giveUp(error: unknown): Error;
  /** Upper bound, in milliseconds, of the random pause after the first failure; doubled each time. */
  readonly firstPauseMs: number;
}

/** Tries `work` until it succeeds, fails for good, or has been tried often enough. */
export async function retry<T>(
  { attempts, isPassing, giveUp, firstPauseMs }: RetryOptions,
  work: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!isPassing(error)) throw error;
      if (attempt === attempts) throw giveUp(error);
      await pause(Math.random() * firstPauseMs * 2 ** (attempt - 1));
    }
  }
}
