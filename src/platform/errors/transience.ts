import { isUnavailable } from './unavailability';

/** Deadlock, lock wait timeout. */
const CONTENTION = new Set([1205, 1213]);
/** SQLSTATE classes of faults in the values: data exceptions, integrity constraint violations. */
const DATA_CLASSES = new Set(['22', '23']);
/** The same faults, which some servers report with the general SQLSTATE HY000. */
const DATA_NUMBERS = new Set([1366, 3819]);

/**
 * Whether the same work may succeed later, so that a consumer retries it without a limit: a
 * dependency is unavailable or busy, or MySQL refuses for a reason other than the values (a missing
 * privilege, a table that is not migrated yet, a full disk). Other errors are the message's fault.
 */
export function isTransient(error: unknown): boolean {
  if (isUnavailable(error)) return true;
  if (!(error instanceof Error)) return false;
  const { errno, sqlState } = error as { errno?: number; sqlState?: string };
  if (errno !== undefined && CONTENTION.has(errno)) return true;
  if (errno !== undefined && sqlState !== undefined)
    return !DATA_CLASSES.has(sqlState.slice(0, 2)) && !DATA_NUMBERS.has(errno);
  return error.cause !== undefined && isTransient(error.cause);
}
