import { DomainError } from '../errors';
import { shortened } from './problem';

/** The fault of one field of a request; `field` is a path such as `objects.0.bizId`. */
export interface FieldError {
  field: string;
  message: string;
}

/** Faults that an answer names, and the characters of each. */
const MAX_ERRORS = 20;
const MAX_FIELD_LENGTH = 80;
const MAX_MESSAGE_LENGTH = 120;

/** The request is wrong: 400, with every faulty field, or with the first ones of very many. */
export class ValidationFailedError extends DomainError {
  readonly errors: readonly FieldError[];

  constructor(faults: readonly FieldError[], code = 'VALIDATION_FAILED') {
    // Before they are joined: a field that the client made up may be as long as the body.
    const errors = faults.slice(0, MAX_ERRORS).map(({ field, message }) => ({
      field: shortened(field, MAX_FIELD_LENGTH),
      message: shortened(message, MAX_MESSAGE_LENGTH),
    }));
    const sentences = errors.map(({ field, message }) => `${field} ${message}`.trim());
    if (faults.length > MAX_ERRORS) sentences.push(`and ${faults.length - MAX_ERRORS} more`);
    super(400, code, sentences.join('; '));
    this.errors = errors;
  }
}
