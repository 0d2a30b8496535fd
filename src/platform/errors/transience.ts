import { isUnavailable } from './unavailability';

/** Deadlock, lock wait timeout. */
const CONTENTION = new Set([1205, 1213]);
/** SQLSTATE classes of what the values themselves are wrong about: data, integrity constraints. */
const DATA_CLASSES = new Set(['22', '23']);
/** The same faults, where a server has no better SQLSTATE for them than HY000. */
const DATA_NUMBERS = new Set([1366, 3819]);

/**
 * Whether the same work may well succeed later, so that a consumer tries it again for as long as it
 * takes: a dependency is away or busy, or MySQL refuses for a reason that lies not in the values (a
 * missing right, a table that is not migrated yet, a full disk). All else is the message's own fault.
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
