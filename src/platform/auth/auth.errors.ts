import { DomainError } from '../errors';

/** No token where one is needed, or one that is not valid. */
export class UnauthorizedError extends DomainError {
  constructor(detail: string) {
    super(401, 'UNAUTHORIZED', detail);
  }
}

/** The caller is known and may not do this. */
export class ForbiddenError extends DomainError {
  constructor(detail: string) {
    super(403, 'FORBIDDEN', detail);
  }
}
