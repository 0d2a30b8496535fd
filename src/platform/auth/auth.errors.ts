import { DomainError } from '../errors';

/** The token is missing or not valid. */
export class UnauthorizedError extends DomainError {
  constructor(detail: string) {
    super(401, 'UNAUTHORIZED', detail);
  }
}

/** The caller is authenticated but may not do this. */
export class ForbiddenError extends DomainError {
  constructor(detail: string) {
    super(403, 'FORBIDDEN', detail);
  }
}
