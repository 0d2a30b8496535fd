const errorNumber = (error: unknown): number | undefined =>
  (error as { errno?: number } | null)?.errno;

/** A deadlock (1213) or lock wait timeout (1205): the transaction may simply be run again. */
export function isContention(error: unknown): boolean {
  const number = errorNumber(error);
  return number === 1213 || number === 1205;
}

/** A unique index refused the row (1062). */
export function isDuplicateKey(error: unknown): boolean {
  return errorNumber(error) === 1062;
}

/** A row stayed locked for longer than innodb_lock_wait_timeout (1205). */
export function isLockTimeout(error: unknown): boolean {
  return errorNumber(error) === 1205;
}
