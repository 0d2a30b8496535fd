/** A derived value that differs from what it is derived from. */
export interface Drift {
  /** What it belongs to, e.g. `article 42`. */
  readonly subject: string;
  /** Which of its values, e.g. `like_cnt`. */
  readonly value: string;
  /** What is stored. */
  readonly found: string;
  /** What it should be. */
  readonly expected: string;
}

/**
 * Called from time to time during a long run.
 * @param phase the part of the run, e.g. `counters`
 * @param done how many items of the phase were checked
 * @param share of the phase that is done: 0 to 1
 */
export type OnProgress = (phase: string, done: number, share: number) => void;

export interface VerifyOptions {
  /** Whether to correct what has drifted. */
  readonly repair: boolean;
  onDrift(drift: Drift): void;
  readonly onProgress: OnProgress;
}

/** A context whose derived values can be compared with their source and rebuilt, while it is in use. */
export interface VerifiableContext {
  /** As the CLI names it. */
  readonly name: string;
  /** @returns how many values have drifted */
  verify(options: VerifyOptions): Promise<number>;
  /** @returns how many items were rebuilt */
  rebuild(onProgress: OnProgress): Promise<number>;
}
