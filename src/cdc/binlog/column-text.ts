/** Types of the binlog (enum_field_types) whose values need a conversion. */
const FLOAT = 4;
const DOUBLE = 5;
const YEAR = 13;
const BIT = 16;
const NEWDECIMAL = 246;
const STRING = 254;

type ToText = (value: unknown) => string;

/**
 * Converts a column's values to Canal's text form: integers and decimals exact, floats as Java writes
 * them, times as MySQL does (TIMESTAMP in UTC), binary values with one character per byte, bits as a
 * number. ENUM and SET, which no captured table has, become labels where Canal gives numbers.
 * @param type the column's type number in the binlog
 */
export function columnText(type: number): (value: unknown) => string | null {
  const toText = toTextOf(type);
  return (value) => (value === null || value === undefined ? null : toText(value));
}

function toTextOf(type: number): ToText {
  switch (type) {
    case FLOAT:
      return (value) => javaFloat(value as number);
    case DOUBLE:
      return (value) => javaDouble(value as number);
    case NEWDECIMAL:
      // Canal writes a fraction of several zeros as one zero.
      return (value) => String(value).replace(/\.0+$/, '.0');
    case YEAR:
      // The reader adds 1900 to the year 0 too.
      return (value) => (value === 1900 ? '0000' : String(value));
    case BIT:
      return (value) => BigInt(`0x${(value as Buffer).toString('hex')}`).toString();
    case STRING:
      // The reader pads BINARY(n) with the zero bytes that the binlog leaves out.
      return (value) => plainText(value).replace(/\0+$/, '');
    default:
      return plainText;
  }
}

function plainText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Buffer.isBuffer(value)) return value.toString('latin1');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** The shortest decimal number that is read as this 32-bit float. */
function javaFloat(value: number): string {
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return javaDouble(short);
  }
  return javaDouble(Number(value.toPrecision(9)));
}

/** Java's Double.toString: always with a fraction, with an exponent outside [0.001, 10000000). */
function javaDouble(value: number): string {
  const size = Math.abs(value);
  if (size === 0 || (size >= 1e-3 && size < 1e7)) {
    const text = Object.is(value, -0) ? '-0' : String(value);
    return text.includes('.') ? text : `${text}.0`;
  }
  const [mantissa = '', exponent = ''] = value.toExponential().split('e');
  return `${mantissa.includes('.') ? mantissa : `${mantissa}.0`}E${Number(exponent)}`;
}
