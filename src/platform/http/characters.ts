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
        // A code point has at most two UTF-16 units: a text beyond twice the maximum is not split.
        const count = value.length > 2 * max ? value.length : [...value].length;
        return count >= min && count <= max;
      },
      defaultMessage: () =>
        min === 0 ? `must have at most ${max} characters` : `must have ${min} to ${max} characters`,
    },
  });
}
