/** A business object that is counted: its kind and its id within that kind. */
export interface ObjectRef {
  readonly biz: string;
  readonly bizId: number;
}

/** The row of `interactives` of one object; `version` 0 = there is no row (all counts are 0). */
export interface CounterRow extends ObjectRef {
  readonly readCnt: number;
  readonly likeCnt: number;
  readonly collectCnt: number;
  readonly version: number;
}

/** What a user did to an object; `version` is that of his like or collect row, 0 = no row. */
export interface MarkState extends ObjectRef {
  readonly uid: number;
  readonly kind: 'like' | 'collect';
  readonly on: boolean;
  readonly version: number;
}

/** What a caller sees of an object: its counts and his own marks. */
export interface ObjectState extends ObjectRef {
  readonly readCnt: number;
  readonly likeCnt: number;
  readonly collectCnt: number;
  readonly liked: boolean;
  readonly collected: boolean;
}
