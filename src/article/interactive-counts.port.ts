/** Injection token of what tells how often an article was read, liked and collected. */
export const INTERACTIVE_COUNTS = Symbol('INTERACTIVE_COUNTS');

export interface CountsOfObject {
  readCnt: number;
  likeCnt: number;
  collectCnt: number;
  /** Whether the asking user did; false for an anonymous one. */
  liked: boolean;
  collected: boolean;
}

/**
 * What this context needs of the interactive one. A port of our own, since that context already
 * depends on this one to know which articles may be liked.
 */
export interface InteractiveCounts {
  states(
    objects: readonly { biz: string; bizId: number }[],
    userId: number | null,
  ): Promise<CountsOfObject[]>;
}
