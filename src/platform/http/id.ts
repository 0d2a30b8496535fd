import { ValidateBy, type ValidationOptions } from 'class-validator';

export const ID_RULE = 'must be a whole number from 1 to 9007199254740991';
/** The schema of an id, for the OpenAPI document. */
export const ID_SCHEMA = {
  type: 'integer',
  format: 'int64',
  minimum: 1,
  maximum: Number.MAX_SAFE_INTEGER,
} as const;

/** Whether `value` can name an entity: an integer from 1 to 2^53-1. */
export function isId(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 1;
}

/** The id that a decimal text represents, or null: no sign, no leading zero, at most 2^53-1. */
export function parseId(text: unknown): number | null {
  if (typeof text !== 'string' || !/^[1-9]\d{0,15}$/.test(text)) return null;
  const id = Number(text);
  return Number.isSafeInteger(id) ? id : null;
}

/** A field of a body (or each of its elements, with `each`) that holds an id as a JSON number. */
export function IsId(options?: ValidationOptions): PropertyDecorator {
  return ValidateBy(
    { name: 'isId', validator: { validate: isId, defaultMessage: () => ID_RULE } },
    options,
  );
}
