import { ValidateBy } from 'class-validator';

/**
 * A text of `min` to `max` characters. Counts code points, as the database's columns do;
 * class-validator's `Length` does not count variation selectors.
 */
export function Characters(min: number, max: number): PropertyDecorator {
  return ValidateBy({
    name: 'characters',
    validator: {
      validate(value) {
        if (typeof value !== 'string') return false;
        const count = charactersOf(value);
        return count >= min && count <= max;
      },
      defaultMessage: () =>
        min === 0 ? `must have at most ${max} characters` : `must have ${min} to ${max} characters`,
    },
  });
}

function charactersOf(text: string): number {
  let count = 0;
  // A code point beyond U+FFFF takes two UTF-16 units.
  for (let i = 0; i < text.length; i += (text.codePointAt(i) as number) > 0xffff ? 2 : 1) count++;
  return count;
}
