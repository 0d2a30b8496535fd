import { UnavailableError } from './unavailable.error';

const NETWORK_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EPIPE',
  'ETIMEDOUT',
  'PROTOCOL_CONNECTION_LOST',
  'PROTOCOL_SEQUENCE_TIMEOUT',
  'PROTOCOL_ENQUEUE_AFTER_FATAL_ERROR',
  'PROTOCOL_ENQUEUE_AFTER_QUIT',
  'POOL_CLOSED',
]);

/** MySQL: too many connections, shutting down, killed, read-only, gone, lost during a query. */
const SQL_NUMBERS = new Set([1040, 1053, 1152, 1203, 1290, 1836, 1927, 2006, 2013]);

const REDIS_MESSAGES =
  /^(LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|OOM|BUSY|MISCONF) |^Connection is closed|^Command timed out|^Stream isn't writeable/;

/** Names the unavailable dependency, e.g. `mysql`; null when `error` has another cause. */
export function unavailableDependency(error: unknown): string | null {
  if (error instanceof UnavailableError) return error.dependency;
  if (!(error instanceof Error)) return null;
  const { name, message } = error;
  if (name === 'MaxRetriesPerRequestError' || REDIS_MESSAGES.test(message)) return 'redis';
  const { code, errno, sqlState, syscall } = error as {
    code?: string;
    errno?: number;
    sqlState?: string;
    syscall?: string;
  };
  if (errno !== undefined && sqlState !== undefined && SQL_NUMBERS.has(errno)) return 'mysql';
  if (message === 'Pool is closed.') return 'mysql';
  if (code !== undefined && NETWORK_CODES.has(code))
    return code.startsWith('PROTOCOL_') || syscall === undefined ? 'mysql' : 'dependency';
  // Several addresses were tried (localhost as IPv6 and IPv4) and all failed.
  if (error instanceof AggregateError) return unavailableDependency(error.errors[0]);
  // TypeORM wraps the driver's error.
  const { driverError = error.cause } = error as { driverError?: unknown };
  return driverError === undefined ? null : unavailableDependency(driverError);
}

/** Whether the same call may succeed later because only a dependency was unavailable. */
export function isUnavailable(error: unknown): boolean {
  return unavailableDependency(error) !== null;
}
