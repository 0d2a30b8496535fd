import type { ObjectRef } from '../platform/http';

export type { ObjectRef };

export interface Counts {
  readonly readCnt: number;
  readonly likeCnt: number;
  readonly collectCnt: number;
}

export const NO_COUNTS: Counts = { readCnt: 0, likeCnt: 0, collectCnt: 0 };

/** An object's counters as one committed row of `interactives` has them. */
export interface CounterRow extends ObjectRef, Counts {
  /** Its primary key: higher than that of the object's rows before it; 0 when there is no row. */
  readonly id: number;
  /** Raised by every change of the program's own to the row; 0 when there is no row. */
  readonly version: number;
}

/** Whether a user likes or has collected an object, as the committed record has it. */
export interface MarkState extends ObjectRef {
  readonly uid: number;
  readonly kind: 'like' | 'collect';
  readonly on: boolean;
  /** Raised by every transition of the record; 0 when there is none. */
  readonly version: number;
}

/** What a reader sees of an object. */
export interface ObjectState extends ObjectRef, Counts {
  readonly liked: boolean;
  readonly collected: boolean;
}
