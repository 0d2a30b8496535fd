import { ValidateBy } from 'class-validator';

/**
 * A body's text of `min` to `max` characters. Counts code points, as the database's columns do;
 * class-validator's own length leaves variation selectors out.
 */
export function Characters(min: number, max: number): PropertyDecorator {
  return ValidateBy({
    name: 'characters',
    validator: {
      validate(value) {
        if (typeof value !== 'string') return false;
        // What is too long in UTF-16 even for characters of two units each is not taken apart.
        const count = value.length > 2 * max ? value.length : [...value].length;
        return count >= min && count <= max;
      },
      defaultMessage: () =>
        min === 0 ? `must have at most ${max} characters` : `must have ${min} to ${max} characters`,
    },
  });
}
