import { Matches, ValidateBy } from 'class-validator';

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

/**
 * A character that can be seen: no blank, control, format or unassigned character, no mark without its
 * base, and none that is displayed as nothing or as a blank (U+2800, U+1D159).
 */
const VISIBLE = /[^\p{Z}\p{C}\p{M}\p{Default_Ignorable_Code_Point}\u{2800}\u{1D159}]/u;

/** A text that readers can see; names and titles that nobody sees could not be told apart. */
export function Visible(): PropertyDecorator {
  return Matches(VISIBLE, { message: 'must have at least one visible character' });
}
