import type { FieldError } from './validation-failed.error';

export const UNKNOWN_FIELD = 'is not a known field';

export function isJsonObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @param path of the object in the body, with a dot at its end, e.g. `objects.0.` */
export function unknownFields(
  value: Record<string, unknown>,
  known: readonly string[] = [],
  path = '',
): FieldError[] {
  const errors: FieldError[] = [];
  for (const name in value)
    if (!known.includes(name)) errors.push({ field: path + name, message: UNKNOWN_FIELD });
  return errors;
}
