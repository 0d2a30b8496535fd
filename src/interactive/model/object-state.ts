import type { ObjectRef } from '../../platform/business-object';
import type { Counts } from './counter-row';
import type { OwnMarks } from './mark';

/** What a reader sees of an object. */
export interface ObjectState extends ObjectRef, Counts, OwnMarks {}
