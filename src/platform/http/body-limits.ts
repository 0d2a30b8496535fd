/** Bytes of a body. */
export const MAX_BODY_BYTES = 1_048_576;

/** Objects and arrays inside each other; the API's own bodies have three levels. */
const MAX_DEPTH = 16;

/** Elements, fields, objects and arrays together; the API's own bodies have about 300. */
const MAX_VALUES = 1_000;

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const [OPENING_BRACKET, CLOSING_BRACKET] = [0x5b, 0x5d];
const [OPENING_BRACE, CLOSING_BRACE] = [0x7b, 0x7d];

/**
 * What is excessive in a JSON text of an allowed size; null for other texts. It reads the text once
 * and stops at the limit, before any step whose time or memory grows faster than the text: parsing
 * it, converting and validating its value, and listing the faults. JSON.parse reads a text that is
 * no JSON at most as far.
 */
export function excessOf(json: string): string | null {
  let depth = 0;
  let values = 0;
  for (let i = 0; i < json.length; i++) {
    switch (json.charCodeAt(i)) {
      case QUOTE:
        i = endOfText(json, i);
        break;
      case OPENING_BRACKET:
      case OPENING_BRACE:
        depth++;
        values++;
        break;
      case CLOSING_BRACKET:
      case CLOSING_BRACE:
        depth--;
        break;
      case COMMA:
        values++;
        break;
      default:
        continue;
    }
    if (depth > MAX_DEPTH) return `must not be nested deeper than ${MAX_DEPTH} levels`;
    if (values > MAX_VALUES) return `must not have more than ${MAX_VALUES} values`;
  }
  return null;
}

/** The index of the quote that ends the text which begins with the quote at `start`. */
function endOfText(json: string, start: number): number {
  let i = start + 1;
  for (; i < json.length; i++) {
    const character = json.charCodeAt(i);
    if (character === QUOTE) break;
    if (character === BACKSLASH) i++;
  }
  return i;
}
