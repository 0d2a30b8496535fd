import { columnText } from './column-text';

const FLOAT = 4;
const DOUBLE = 5;
const LONGLONG = 8;
const YEAR = 13;
const BIT = 16;
const NEWDECIMAL = 246;
const BLOB = 252;
const STRING = 254;

// The right-hand sides are what Canal 1.1.7 sends (test/fixtures/canal), or Java prints.
describe('columnText', () => {
  it.each([
    [LONGLONG, null, null],
    [LONGLONG, 7, '7'],
    [LONGLONG, '18446744073709551615', '18446744073709551615'],
    [FLOAT, Math.fround(0.1), '0.1'],
    [FLOAT, Math.fround(3.4e38), '3.4E38'],
    [FLOAT, 16777216, '1.6777216E7'],
    [FLOAT, Math.fround(1e-4), '1.0E-4'],
    [DOUBLE, 0, '0.0'],
    [DOUBLE, -0, '-0.0'],
    [DOUBLE, 100, '100.0'],
    [DOUBLE, 0.001, '0.001'],
    [DOUBLE, 9999999.5, '9999999.5'],
    [DOUBLE, 12345678, '1.2345678E7'],
    [DOUBLE, 1e21, '1.0E21'],
    [DOUBLE, -1.5e-10, '-1.5E-10'],
    [NEWDECIMAL, '12345678901234.567890', '12345678901234.567890'],
    [NEWDECIMAL, '1.000000', '1.0'],
    [NEWDECIMAL, '10', '10'],
    [YEAR, 2024, '2024'],
    [YEAR, 1900, '0000'],
    [BIT, Buffer.from([0x02, 0x01]), '513'],
    [BLOB, Buffer.from([0x00, 0xff, 0x7f, 0x80]), '\u0000\u00ff\u007f\u0080'],
    [BLOB, 'text 漢', 'text 漢'],
    [BLOB, Buffer.from([1, 0]), '\u0001\u0000'],
    [STRING, Buffer.from([1, 2, 0, 0, 0, 0]), '\u0001\u0002'],
    [STRING, 'ab', 'ab'],
  ])('of type %d writes %p as %p', (type, value, expected) => {
    expect(columnText(type)(value)).toBe(expected);
  });
});
