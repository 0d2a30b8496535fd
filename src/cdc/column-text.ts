/**
 * A column's value in Canal's text form, from the form in which the binlog reader gives it: integers
 * as decimal text, binary values one character a byte, NULL as null.
 */
export function columnText(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'bigint') return value.toString();
  if (typeof value === 'boolean') return value ? '1' : '0';
  if (Buffer.isBuffer(value)) return value.toString('latin1');
  if (value instanceof Date)
    return value
      .toISOString()
      .replace('T', ' ')
      .replace(/\.?0*Z$/, '');
  return JSON.stringify(value);
}
