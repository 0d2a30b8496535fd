import { DomainError } from '../platform/errors';
import { MAX_MESSAGE_BYTES } from './topic';

/** No topic takes an event of this size: 413 over HTTP, the request's content is too large. */
export class EventTooLargeError extends DomainError {
  constructor(topic: string, bytes: number) {
    super(
      413,
      'EVENT_TOO_LARGE',
      `an event of ${topic} has ${bytes} bytes, more than ${MAX_MESSAGE_BYTES}`,
    );
  }
}
