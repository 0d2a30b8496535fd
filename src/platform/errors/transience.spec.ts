import { isTransient } from './transience';
import { UnavailableError } from './unavailable.error';

const sqlError = (errno: number, sqlState: string) =>
  Object.assign(new Error('x'), { errno, sqlState });

describe('isTransient', () => {
  it.each([
    ['an unavailable log', new UnavailableError('log', 'no broker')],
    ['a statement that timed out', Object.assign(new Error(), { code: 'ETIMEDOUT' })],
    ['a deadlock', sqlError(1213, '40001')],
    ['a lock wait timeout', sqlError(1205, 'HY000')],
    ['a changed password', sqlError(1045, '28000')],
    ['a table that is not migrated yet', sqlError(1146, '42S02')],
    ['a full disk', sqlError(1021, 'HY000')],
    ['a Redis that cannot write to its disk', new Error('MISCONF Redis is configured to save')],
    ['an error that wraps one of them', new Error('x', { cause: sqlError(1213, '40001') })],
  ])('is true for %s', (_, error) => {
    expect(isTransient(error)).toBe(true);
  });

  it.each([
    ['a value out of range', sqlError(1264, '22003')],
    ['a text that is too long', sqlError(1406, '22001')],
    ['a duplicate key', sqlError(1062, '23000')],
    ['a value of the wrong type', sqlError(1366, 'HY000')],
    ['a bug in the program', new TypeError('x is not a function')],
    ['a value that is not an error', 'text'],
  ])('is false for %s', (_, error) => {
    expect(isTransient(error)).toBe(false);
  });
});
