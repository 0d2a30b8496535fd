import { DomainError } from '../platform/errors';
import { MAX_MESSAGE_BYTES } from './topic';

/** An event that no topic takes: 413 over HTTP, since what was asked for is too large to be told. */
export class EventTooLargeError extends DomainError {
  constructor(topic: string, bytes: number) {
    super(
      413,
      'EVENT_TOO_LARGE',
      `an event of ${topic} has ${bytes} bytes, more than ${MAX_MESSAGE_BYTES}`,
    );
  }
}
