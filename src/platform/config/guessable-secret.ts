/** Characters of a secret that must be left when everything that is easy to guess is taken out. */
const MIN_RANDOM_CHARACTERS = 16;
/** Of 32 random decimal digits, fewer than one in ten million has fewer distinct ones. */
const MIN_DISTINCT_CHARACTERS = 6;
const MIN_SEQUENCE = 4;

/** What examples, placeholders and defaults consist of; the first one is in this project's docs. */
const KNOWN_TEXTS =
  /openssl rand -(hex|base64)|webook|develop(ment|er)?|production|example|default|secret|passw(or)?d|passphrase|change[ _-]?(me|it|this)|replace[ _-]?(me|it|this)|qwert[yz](uiop)?|letmein|admin|root|test|token|jwt|hmac|hs256|(256|512)[ _-]?bits?|your|super|key|foo|bar|baz/gi;

/** Runs of equal characters and of neighbours in the order of characters, e.g. `0000` and `cdef`. */
function withoutSequences(text: string): string {
  let rest = '';
  for (let from = 0; from < text.length;) {
    const step = text.charCodeAt(from + 1) - text.charCodeAt(from);
    let to = from + 1;
    if (Math.abs(step) <= 1) while (text.charCodeAt(to) - text.charCodeAt(to - 1) === step) to++;
    if (to - from < MIN_SEQUENCE) rest += text[from++];
    else from = to;
  }
  return rest;
}

/** One unit of a text that repeats it, e.g. `ab1` of `ab1ab1ab`; a text that repeats nothing itself. */
function unitOf(text: string): string {
  for (let length = 1; length <= text.length / 2; length++)
    if (text.startsWith(text.slice(length))) return text.slice(0, length);
  return text;
}

/**
 * Whether a secret can be guessed, because it consists of known words, sequences or repetitions. Anyone
 * who guesses it can sign tokens for every user.
 */
export function isGuessable(secret: string): boolean {
  const rest = withoutSequences(unitOf(secret.trim()).replace(KNOWN_TEXTS, ''));
  return (
    rest.length < MIN_RANDOM_CHARACTERS ||
    new Set(rest.toLowerCase()).size < MIN_DISTINCT_CHARACTERS
  );
}
