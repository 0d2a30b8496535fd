import { DomainError } from '../errors';

/** The fault of one field of a request; `field` is a path such as `objects.0.bizId`. */
export interface FieldError {
  field: string;
  message: string;
}

/** The request is wrong: 400, with every faulty field. */
export class ValidationFailedError extends DomainError {
  constructor(
    readonly errors: readonly FieldError[],
    code = 'VALIDATION_FAILED',
  ) {
    super(400, code, errors.map(({ field, message }) => `${field} ${message}`.trim()).join('; '));
  }
}
