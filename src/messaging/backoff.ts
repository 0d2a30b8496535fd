/** Milliseconds before attempt `attempt` + 1, from 1 on: doubled each time, up to 5 s, jittered. */
export const backoff = (attempt: number): number =>
  Math.min(5_000, 50 * 2 ** Math.min(attempt, 10)) * (0.5 + Math.random() / 2);
