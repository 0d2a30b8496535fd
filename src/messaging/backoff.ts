/**
 * Milliseconds to wait between attempt `attempt` (from 1) and the next one: doubled each time, at
 * most 5 s, with jitter.
 */
export const backoff = (attempt: number): number =>
  Math.min(5_000, 50 * 2 ** Math.min(attempt, 10)) * (0.5 + Math.random() / 2);
