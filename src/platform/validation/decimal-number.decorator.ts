import { Transform } from 'class-transformer';

/**
 * Converts the text of a query parameter or variable to a number. Only decimal digits without
 * leading zeros are accepted, as in ids: other texts that `Number` would convert, e.g. `0x10`, `1e1`,
 * `+5`, `01` and blanks, become NaN.
 */
export function DecimalNumber(): PropertyDecorator {
  return Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' ? (/^(0|-?[1-9]\d*)$/.test(value) ? Number(value) : NaN) : value,
  );
}
