import { BizPipe } from './biz.pipe';
import { IdPipe } from './id.pipe';
import { ValidationFailedError } from './validation-failed.error';

describe('IdPipe', () => {
  const transform = (value: unknown) =>
    new IdPipe().transform(value, { type: 'param', data: 'id' });

  it.each([
    ['1', 1],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
  ])('takes %s', (text, id) => expect(transform(text)).toBe(id));

  it.each(['0', '-1', '1.5', '1e3', '01', ' 1', '9007199254740992', 'abc', '', undefined, ['1']])(
    'refuses %j and names the field',
    (value) => {
      expect(() => transform(value)).toThrow(ValidationFailedError);
      expect(() => transform(value)).toThrow(/^id must be a whole number/);
    },
  );
});

describe('BizPipe', () => {
  const transform = (value: unknown) =>
    new BizPipe().transform(value, { type: 'param', data: 'biz' });

  it.each(['article', 'a', 'et-2_x', `a${'b'.repeat(31)}`])('takes %s', (biz) =>
    expect(transform(biz)).toBe(biz),
  );

  it.each(['', 'Article', '1a', '-a', 'a b', 'a\n', `a${'b'.repeat(32)}`, undefined])(
    'refuses %j',
    (biz) => expect(() => transform(biz)).toThrow(ValidationFailedError),
  );
});
