/**
 * An outcome that the caller must hear about. The HTTP filter renders it as problem+json with
 * `status` and the stable `code`; the consumers dead-letter it, since trying again cannot help.
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
