import { BIZ_PATTERN } from '../business-object';

/* Schemas of fields that many answers have, for the OpenAPI document. */

export const BIZ_SCHEMA = { type: 'string', pattern: BIZ_PATTERN.source } as const;

/** A counter of `interactives`, which other programs write too. */
export const COUNT_SCHEMA = {
  type: 'integer',
  description: 'Beyond 2^53, which only another program writes, the last digits are rounded',
} as const;

export const TIME_SCHEMA = {
  type: 'integer',
  format: 'int64',
  description: 'Milliseconds since the epoch',
} as const;

export const CURSOR_LENGTH = 512;
export const CURSOR_PATTERN = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{8}$/;

export const NEXT_CURSOR_SCHEMA = {
  type: 'string',
  nullable: true,
  pattern: CURSOR_PATTERN.source,
  maxLength: CURSOR_LENGTH,
  description: 'null on the last page',
} as const;
