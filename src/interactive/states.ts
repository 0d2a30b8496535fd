/** A business object, e.g. article 42. */
export interface ObjectRef {
  readonly biz: string;
  readonly bizId: number;
}

/** An object's counters as one committed row of `interactives` has them. */
export interface CounterRow extends ObjectRef {
  readonly readCnt: number;
  readonly likeCnt: number;
  readonly collectCnt: number;
  /** Raised by every change of the row; 0 when there is no row. */
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
export interface ObjectState extends ObjectRef {
  readonly readCnt: number;
  readonly likeCnt: number;
  readonly collectCnt: number;
  readonly liked: boolean;
  readonly collected: boolean;
}
