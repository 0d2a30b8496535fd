/**
 * A message's content is at fault: its bytes violate the topic's contract, or a handler finds a value
 * that it can never handle. The message is dead-lettered at once, never retried.
 */
export class BadMessageError extends Error {}
