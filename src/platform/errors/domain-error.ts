/**
 * A failure that the caller must learn about. The HTTP filter renders it as problem+json with
 * `status` and the stable `code`; the consumers dead-letter it, because a retry cannot help.
 */
export class DomainError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
    this.name = new.target.name;
  }
}
