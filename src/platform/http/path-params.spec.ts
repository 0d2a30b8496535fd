import { idIn, objectIn } from './path-params';
import { ValidationFailedError } from './validation-failed.error';

describe('an id in the path', () => {
  it.each([
    ['1', 1],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
  ])('may be %s', (id, expected) => expect(idIn({ id }, 'id')).toBe(expected));

  it.each(['0', '-1', '1.5', '1e3', '01', ' 1', '9007199254740992', 'abc', '', undefined])(
    'may not be %j, and the field is named',
    (id) => {
      expect(() => idIn({ id }, 'id')).toThrow(ValidationFailedError);
      expect(() => idIn({ id }, 'id')).toThrow(/^id must be a whole number/);
    },
  );
});

describe('an object in the path', () => {
  it.each(['article', 'a', 'et-2_x', `a${'b'.repeat(31)}`])('may be of kind %s', (biz) =>
    expect(objectIn({ biz, bizId: '42' })).toEqual({ biz, bizId: 42 }),
  );

  it.each(['', 'Article', '1a', '-a', 'a b', 'a\n', `a${'b'.repeat(32)}`, undefined])(
    'may not be of kind %j',
    (biz) => expect(() => objectIn({ biz, bizId: '42' })).toThrow(/^biz must be/),
  );

  it('is refused with all its faults', () => {
    expect(() => objectIn({ biz: 'A', bizId: '0' })).toThrow(/^biz must .*; bizId must /);
    expect(() => objectIn({ biz: 'a', bizId: '0' })).toThrow(/^bizId must /);
  });
});
