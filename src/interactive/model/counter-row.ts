import type { ObjectRef } from '../../platform/business-object';

export interface Counts {
  readonly readCnt: number;
  readonly likeCnt: number;
  readonly collectCnt: number;
}

export const NO_COUNTS: Counts = { readCnt: 0, likeCnt: 0, collectCnt: 0 };

/** An object's counters as one committed row of `interactives` has them. */
export interface CounterRow extends ObjectRef, Counts {
  /** The primary key; 0 when there is no row. A later row of the same object has a higher one. */
  readonly id: number;
  /** Raised by every change that the program makes to the row; 0 when there is no row. */
  readonly version: number;
}

export const noCounterRow = ({ biz, bizId }: ObjectRef): CounterRow => ({
  biz,
  bizId,
  ...NO_COUNTS,
  id: 0,
  version: 0,
});
