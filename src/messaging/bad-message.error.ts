/** The bytes of a message are not what its topic promises: dead-lettered at once, never retried. */
export class BadMessageError extends Error {}
