import { validate } from 'class-validator';
import { Characters } from './characters';

class Name {
  @Characters(1, 4)
  text: unknown;
}

const isValid = async (text: unknown): Promise<boolean> => {
  const errors = await validate(Object.assign(new Name(), { text }));
  return errors.length === 0;
};

describe('Characters', () => {
  it.each(['a', 'abcd', '收藏夹的', '😀😀😀😀', '❤️❤️'])('accepts %j', async (text) => {
    expect(await isValid(text)).toBe(true);
  });

  it.each(['', 'abcde', '😀😀😀😀😀', '❤️❤️❤️', 'x'.repeat(9), 7, null, undefined])(
    'refuses %j',
    async (text) => {
      expect(await isValid(text)).toBe(false);
    },
  );
});
