/** The bytes of a message violate its topic's contract: dead-lettered at once, never retried. */
export class BadMessageError extends Error {}
