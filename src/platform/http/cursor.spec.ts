import fc from 'fast-check';
import { decodeCursor, encodeCursor, InvalidCursorError } from './cursor';

describe('cursor', () => {
  it('decodes to the values that were encoded', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), fc.string(), (time, biz) => {
        expect(
          decodeCursor('list', encodeCursor('list', [time, biz]), ['number', 'string']),
        ).toEqual([time, biz]);
      }),
    );
  });

  it('means the first page when it is missing', () => {
    expect(decodeCursor('list', undefined, ['number'])).toBeNull();
  });

  it('is refused after a change of any one character', () => {
    const cursor = encodeCursor('list', [1_795_222_835_000, 42]);
    for (let at = 0; at < cursor.length; at++) {
      const changed = cursor.slice(0, at) + (cursor[at] === 'A' ? 'B' : 'A') + cursor.slice(at + 1);
      expect(() => decodeCursor('list', changed, ['number', 'number'])).toThrow(InvalidCursorError);
    }
  });

  it.each([
    '',
    'x',
    '.',
    'a.b.c',
    encodeCursor('list', [1]),
    encodeCursor('list', ['1', 2]),
    encodeCursor('list', [1, 0.5]),
    encodeCursor('list of another filter', [1, 2]),
  ])('is refused when it is of another list or is no cursor: %j', (text) => {
    expect(() => decodeCursor('list', text, ['number', 'number'])).toThrow(InvalidCursorError);
  });
});
