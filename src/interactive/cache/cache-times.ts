/** How long counters and marks stay; up to a quarter longer, so that they do not expire together. */
const TTL_MS = 10 * 60_000;
/** How long an object or mark without a row stays: long enough for a burst of requests, not longer. */
const NEGATIVE_TTL_MS = 10_000;

/**
 * How long counters stay while change capture stands, since nothing corrects them; up to a quarter
 * longer.
 */
const STANDING_TTL_MS = 8_000;

/** How long captured changes keep older loads and late writes out, and a lone ticket stays. */
export const FLOOR_TTL_MS = 30_000;

const jittered = (ttlMs: number): number => Math.round(ttlMs * (1 + Math.random() / 4));

export const cachedForMs = (): number => jittered(TTL_MS);
export const standingForMs = (): number => jittered(STANDING_TTL_MS);
export const absentForMs = (): number => jittered(NEGATIVE_TTL_MS);

/** Script calls of one pipeline: all of its answers must arrive before the connection's timeout. */
const CALLS_PER_PIPELINE = 1_000;

/** The calls in groups of one pipeline each. */
export function* pipelinesOf<Call>(calls: readonly Call[]): Generator<readonly Call[]> {
  for (let i = 0; i < calls.length; i += CALLS_PER_PIPELINE)
    yield calls.slice(i, i + CALLS_PER_PIPELINE);
}
