import { DomainError } from './domain-error';

/** A dependency did not answer: 503 over HTTP, a retry in a consumer. */
export class UnavailableError extends DomainError {
  constructor(
    readonly dependency: string,
    detail: string,
    override readonly cause?: unknown,
  ) {
    super(503, 'UNAVAILABLE', `${dependency} is unavailable: ${detail}`);
  }
}
