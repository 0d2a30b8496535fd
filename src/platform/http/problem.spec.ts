import { problemOf } from './problem';
import { ValidationFailedError } from './validation-failed.error';

/** The largest body of a problem with that fault. */
const bytesOf = (faults: { field: string; message: string }[]): number => {
  const { message: detail, errors, status, code } = new ValidationFailedError(faults);
  const problem = problemOf({ status, code, detail, errors: [...errors] }, 'r'.repeat(128));
  return Buffer.byteLength(JSON.stringify(problem));
};

describe('a problem', () => {
  it.each(['x', '\u0000', '\u009f', '\ud800', '\udc00\ud800', '"', '\\', '文', '😀', '\u2028'])(
    'has at most 16 kB and 20 errors, made of any number of %j',
    (text) => {
      for (const length of [80, 81, 119, 120, 799, 800, 1_000_000]) {
        const long = text.repeat(length);
        const faults = Array.from({ length: 1_000 }, () => ({ field: long, message: long }));
        expect(new ValidationFailedError(faults).errors).toHaveLength(20);
        expect(bytesOf(faults)).toBeLessThan(16_000);
        const problem = problemOf({ status: 400, code: 'MALFORMED_REQUEST', detail: long }, 'id');
        expect(Buffer.byteLength(JSON.stringify(problem))).toBeLessThan(16_000);
      }
    },
  );

  it('says how many faults it does not name', () => {
    const faults = Array.from({ length: 23 }, (_, i) => ({ field: `f${i}`, message: 'is wrong' }));
    const { errors, message } = new ValidationFailedError(faults);
    expect(errors.at(-1)).toEqual({ field: 'f19', message: 'is wrong' });
    expect(message).toMatch(/^f0 is wrong; .*; f19 is wrong; and 3 more$/);
  });

  it('keeps texts of usual length as they are', () => {
    const { errors, message } = new ValidationFailedError([
      { field: 'objects.3.bizId', message: 'must be a whole number from 1 to 9007199254740991' },
    ]);
    expect(errors).toEqual([
      { field: 'objects.3.bizId', message: 'must be a whole number from 1 to 9007199254740991' },
    ]);
    expect(message).toBe('objects.3.bizId must be a whole number from 1 to 9007199254740991');
  });
});
