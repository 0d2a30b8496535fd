import { UnavailableError } from '../platform/errors';

const NETWORK = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EAI_AGAIN',
  'PROTOCOL_CONNECTION_LOST',
  'PROTOCOL_ENQUEUE_AFTER_FATAL_ERROR',
  'POOL_CLOSED',
]);

/** Server states that pass: shutting down, too many connections, read only, killed, contention. */
const MYSQL = new Set([
  1040, 1053, 1077, 1152, 1158, 1159, 1160, 1161, 1205, 1213, 1290, 1317, 1836, 1927, 3169, 4031,
]);

const REDIS =
  /^(LOADING|READONLY|BUSY|TRYAGAIN|CLUSTERDOWN|MASTERDOWN|OOM)\b|Connection is closed|Stream isn't writeable|max retries per request|Command timed out/;

/**
 * True when the same work may well succeed later, since a dependency was away or busy: such a batch
 * is tried again for as long as it takes. Anything else is the message's own fault.
 */
export function isTransient(error: unknown): boolean {
  if (error instanceof UnavailableError) return true;
  if (!(error instanceof Error)) return false;
  const { code, errno } = error as { code?: string; errno?: number };
  if (code !== undefined && NETWORK.has(code)) return true;
  if (errno !== undefined && MYSQL.has(errno)) return true;
  if (error.name === 'AggregateError')
    return (error as AggregateError).errors.some((inner) => isTransient(inner));
  if (REDIS.test(error.message) || error.name === 'MaxRetriesPerRequestError') return true;
  return error.cause !== undefined && isTransient(error.cause);
}
