import { Transform } from 'class-transformer';

/**
 * A query's or variable's text as a number: decimal digits only, and NaN for all else that `Number`
 * would take for one, such as `0x10`, `1e1`, `+5` and blanks.
 */
export function DecimalNumber(): PropertyDecorator {
  return Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' ? (/^-?\d+$/.test(value) ? Number(value) : NaN) : value,
  );
}
