import { UnavailableError } from './unavailable.error';

/** An error that comes from MySQL, Redis or the log, and not from what they were asked. */
export interface DependencyFault {
  /** `mysql`, `redis` or `log`; another name where the error does not tell which one it is. */
  readonly dependency: string;
  /** One word for logs and metrics, e.g. `NOREPLICAS`, `ER_NO_SUCH_TABLE`, `ECONNREFUSED`. */
  readonly reason: string;
  /**
   * Whether it gave no answer, or cannot work at all now: what was sent may have taken effect.
   * Otherwise it has refused, e.g. for a missing right or table.
   */
  readonly isAway: boolean;
}

/** Errors as the clients' libraries make them. */
type ClientError = Error & {
  readonly code?: unknown;
  readonly errno?: unknown;
  readonly sqlState?: unknown;
  readonly fatal?: unknown;
  readonly syscall?: unknown;
  readonly command?: unknown;
  readonly type?: unknown;
  /** The same error may be among them. */
  readonly previousErrors?: readonly Error[];
  /** TypeORM's name for the driver's error. */
  readonly driverError?: unknown;
};

/**
 * The one place that decides whose fault an error is. All errors of MySQL, Redis and the log are
 * theirs, whatever their text, except MySQL's about the values that it was given.
 * @returns null for those, and for errors of the program itself
 */
export function dependencyFault(error: unknown): DependencyFault | null {
  return faultWithin(error, MAX_CAUSES);
}

/** @param causes how many errors inside of this one are looked at: one may contain itself */
function faultWithin(error: unknown, causes: number): DependencyFault | null {
  if (!(error instanceof Error) || causes < 0) return null;
  if (error instanceof UnavailableError)
    return {
      dependency: error.dependency,
      reason: faultWithin(error.cause, causes - 1)?.reason ?? error.code,
      isAway: true,
    };
  const given = error as ClientError;
  if (isOfMysqlServer(given)) return mysqlFault(given);
  const fault = redisFault(given) ?? kafkaFault(given) ?? connectionFault(given);
  if (fault !== null) return fault;
  // Several addresses were tried (localhost as IPv6 and IPv4) and all failed.
  const [inner] = given instanceof AggregateError ? (given.errors as unknown[]) : [];
  return faultWithin(inner ?? given.driverError ?? given.cause, causes - 1);
}

const MAX_CAUSES = 8;

/** Whether the same work may succeed later, since only a dependency failed or refused. */
export const isUnavailable = (error: unknown): boolean => dependencyFault(error) !== null;

/** Whether a dependency gave no answer: what was sent may or may not have taken effect. */
export const isAway = (error: unknown): boolean => dependencyFault(error)?.isAway ?? false;

/** SQLSTATE classes of faults in the values: data exceptions, integrity constraint violations. */
const DATA_CLASSES = new Set(['22', '23']);
/** The same faults, which some servers report with the general SQLSTATE HY000 or 01000. */
const DATA_NUMBERS = new Set([1265, 1300, 1366, 1411, 3819]);
/** Too many connections, shutting down, killed, read-only, gone, lost during a query or a commit. */
const AWAY_NUMBERS = new Set([1040, 1053, 1152, 1180, 1203, 1290, 1836, 1927, 2006, 2013]);

function isOfMysqlServer(error: ClientError): error is ClientError & {
  readonly errno: number;
  readonly sqlState: string;
} {
  return typeof error.errno === 'number' && typeof error.sqlState === 'string';
}

function mysqlFault({
  errno,
  sqlState,
  code,
}: ClientError & { readonly errno: number; readonly sqlState: string }): DependencyFault | null {
  if (DATA_CLASSES.has(sqlState.slice(0, 2)) || DATA_NUMBERS.has(errno)) return null;
  const reason = typeof code === 'string' ? code : String(errno);
  return { dependency: 'mysql', reason, isAway: AWAY_NUMBERS.has(errno) };
}

const REDIS_CODE = /^[A-Z][A-Z0-9_]*(?= |$)/;
/** Redis answers them while it starts, fails over, or can take no command or no write. */
const REDIS_AWAY = new Set([
  'LOADING',
  'READONLY',
  'MASTERDOWN',
  'CLUSTERDOWN',
  'TRYAGAIN',
  'OOM',
  'BUSY',
  'MISCONF',
]);
const REDIS_CLIENT_NAMES = new Set([
  'MaxRetriesPerRequestError',
  'ClusterAllFailedError',
  'ParserError',
  'InterruptError',
]);
/** ioredis rejects with these as plain errors. */
const REDIS_CLIENT_MESSAGES =
  /^(Connection is closed|Command timed out|Stream isn't writeable|Ready check failed|Socket timeout\. Expecting data|Connection in (subscriber|monitoring) mode|None of startup nodes|Too many Cluster redirections|Cluster (is|isn't) )/;

function redisFault(error: ClientError): DependencyFault | null {
  const { name, message, command, previousErrors } = error;
  if (name === 'ReplyError') {
    const [refusal] = previousErrors ?? [];
    // A transaction's own error only says that one of its commands was refused.
    const text = message.startsWith('EXECABORT') && refusal ? refusal.message : message;
    const reason = REDIS_CODE.exec(text)?.[0] ?? 'ERR';
    return { dependency: 'redis', reason, isAway: REDIS_AWAY.has(reason) };
  }
  // The runtime has an AbortError too, without a command.
  const isOfClient =
    REDIS_CLIENT_NAMES.has(name) || (name === 'AbortError' && command !== undefined);
  if (isOfClient || REDIS_CLIENT_MESSAGES.test(message))
    return { dependency: 'redis', reason: isOfClient ? name : 'CONNECTION', isAway: true };
  return null;
}

function kafkaFault({ name, type }: ClientError): DependencyFault | null {
  if (!name.startsWith('KafkaJS')) return null;
  return { dependency: 'log', reason: typeof type === 'string' ? type : name, isAway: true };
}

const NETWORK_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EPIPE',
  'EPROTO',
  'ETIMEDOUT',
  'EADDRNOTAVAIL',
]);
const TLS_CODES = /^(ERR_SSL_|ERR_TLS_|CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_)/;
/** mysql2 itself, not the server. */
const MYSQL_CLIENT_CODES = /^(PROTOCOL_|POOL_|HANDSHAKE_|AUTH_SWITCH_)/;
const MYSQL_CLIENT_MESSAGES =
  /^(Pool is closed|Queue limit reached|No connections available|Can't (write|add new command))/;

function connectionFault({ code, message, fatal, syscall }: ClientError): DependencyFault | null {
  const reason = typeof code === 'string' ? code : 'CONNECTION';
  if (MYSQL_CLIENT_CODES.test(reason) || MYSQL_CLIENT_MESSAGES.test(message))
    return { dependency: 'mysql', reason, isAway: true };
  if (NETWORK_CODES.has(reason) || TLS_CODES.test(reason)) {
    // mysql2 marks the errors that end a connection.
    const isOfMysql = fatal === true || syscall === undefined;
    return { dependency: isOfMysql ? 'mysql' : 'dependency', reason, isAway: true };
  }
  return fatal === true ? { dependency: 'mysql', reason, isAway: true } : null;
}
