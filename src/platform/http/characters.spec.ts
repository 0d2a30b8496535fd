import { validate } from 'class-validator';
import { Characters, Visible } from './characters';

class Name {
  @Characters(1, 4)
  text: unknown;
}

class Title {
  @Visible()
  text: unknown;
}

const isValid = async (text: unknown, kind: new () => object = Name): Promise<boolean> => {
  const errors = await validate(Object.assign(new kind(), { text }));
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

describe('Visible', () => {
  it.each(['a', '.', '中', '🦊', '1️⃣', '👩‍👩‍👧', '\u200bx', 'e\u0301'])('accepts %j', async (text) => {
    expect(await isValid(text, Title)).toBe(true);
  });

  it.each([
    ['nothing', ''],
    ['blanks', ' \t\n\u00a0\u2003\u3000'],
    ['a zero-width space', '\u200b'],
    ['zero-width joiners', '\u200c\u200d\u2060\ufeff'],
    ['marks of direction', '\u200e\u200f\u202e\u2066\u061c'],
    ['a soft hyphen', '\u00ad'],
    ['Hangul fillers', '\u115f\u1160\u3164\uffa0'],
    ['a Mongolian vowel separator', '\u180e'],
    ['combining marks alone', '\u0301\u034f\u0e31\u20dd'],
    ['variation selectors and tags', '\ufe0f\u{e0041}\u{e0100}'],
    ['control characters', '\u0000\u0007\u0085'],
    ['private use', '\ue000\u{f0000}'],
    ['unassigned', '\u0378\u{fffff}'],
    ['half of a surrogate pair', '\ud83e'],
    ['blank symbols', '\u2800\u{1d159}'],
  ])('refuses %s', async (_, text) => {
    expect(await isValid(text, Title)).toBe(false);
  });
});
