import { dependencyFault, isAway, isUnavailable } from './dependency-fault';
import { DomainError } from './domain-error';
import { UnavailableError } from './unavailable.error';

const errorOf = (fields: object, message = 'x') => Object.assign(new Error(message), fields);
const sqlError = (errno: number, sqlState: string, code?: string) =>
  errorOf({ errno, sqlState, code });
/** As ioredis makes the errors that Redis answers. */
const reply = (message: string) =>
  errorOf({ name: 'ReplyError', command: { name: 'set' } }, message);

describe('dependencyFault', () => {
  it.each([
    ['an unavailable log', 'log', new UnavailableError('log', 'no broker')],
    ['a lost connection', 'mysql', errorOf({ code: 'PROTOCOL_CONNECTION_LOST', fatal: true })],
    ['a server that shuts down', 'mysql', sqlError(1053, '08S01')],
    ['a wrapped driver error', 'mysql', errorOf({ driverError: sqlError(2013, 'HY000') })],
    ['a statement that timed out', 'mysql', errorOf({ code: 'ETIMEDOUT' })],
    ['a closed pool', 'mysql', new Error('Pool is closed.')],
    ['a closed connection', 'mysql', errorOf({ fatal: true }, 'Unexpected packet')],
    ['a command that could not be sent', 'redis', errorOf({ name: 'MaxRetriesPerRequestError' })],
    ['an aborted command', 'redis', errorOf({ name: 'AbortError', command: { name: 'get' } })],
    ['bytes that are no reply', 'redis', errorOf({ name: 'ParserError' })],
    ['a Redis that loads', 'redis', reply('LOADING Redis is loading the dataset in memory')],
    ['a Redis that cannot write', 'redis', reply('MISCONF Redis is configured to save')],
    ['a closed Redis connection', 'redis', new Error('Connection is closed.')],
    ['a broker that does not answer', 'log', errorOf({ name: 'KafkaJSNumberOfRetriesExceeded' })],
    ['a refused connection', 'dependency', errorOf({ code: 'ECONNREFUSED', syscall: 'connect' })],
    ['a wrong certificate', 'dependency', errorOf({ code: 'CERT_HAS_EXPIRED', syscall: 'tls' })],
    [
      'several refused addresses',
      'dependency',
      new AggregateError([errorOf({ code: 'ECONNREFUSED', syscall: 'connect' })]),
    ],
  ])('finds that a dependency is away: %s', (_, dependency, error) => {
    expect(dependencyFault(error)).toMatchObject({ dependency, isAway: true });
  });

  it.each([
    ['mysql', 'ER_LOCK_DEADLOCK', sqlError(1213, '40001', 'ER_LOCK_DEADLOCK')],
    ['mysql', 'ER_LOCK_WAIT_TIMEOUT', sqlError(1205, 'HY000', 'ER_LOCK_WAIT_TIMEOUT')],
    ['mysql', 'ER_ACCESS_DENIED_ERROR', sqlError(1045, '28000', 'ER_ACCESS_DENIED_ERROR')],
    [
      'mysql',
      'ER_TABLEACCESS_DENIED_ERROR',
      sqlError(1142, '42000', 'ER_TABLEACCESS_DENIED_ERROR'),
    ],
    ['mysql', 'ER_NO_SUCH_TABLE', sqlError(1146, '42S02', 'ER_NO_SUCH_TABLE')],
    ['mysql', 'ER_BAD_FIELD_ERROR', sqlError(1054, '42S22', 'ER_BAD_FIELD_ERROR')],
    ['mysql', 'ER_PARSE_ERROR', sqlError(1064, '42000', 'ER_PARSE_ERROR')],
    ['mysql', 'ER_QUERY_INTERRUPTED', sqlError(1317, '70100', 'ER_QUERY_INTERRUPTED')],
    ['mysql', '1969', sqlError(1969, '70100')],
    ['mysql', '3024', sqlError(3024, 'HY000')],
    ['mysql', 'ER_DISK_FULL', sqlError(1021, 'HY000', 'ER_DISK_FULL')],
    ['mysql', 'ER_DISK_FULL', errorOf({ cause: sqlError(1021, 'HY000', 'ER_DISK_FULL') })],
    ['redis', 'NOREPLICAS', reply('NOREPLICAS Not enough good replicas to write.')],
    ['redis', 'NOAUTH', reply('NOAUTH Authentication required.')],
    ['redis', 'NOPERM', reply("NOPERM User x has no permissions to run the 'set' command")],
    ['redis', 'WRONGTYPE', reply('WRONGTYPE Operation against a key')],
    ['redis', 'NOSCRIPT', reply('NOSCRIPT No matching script.')],
    ['redis', 'ERR', reply('ERR user_script:1: bad argument script: 1, on @user_script:1.')],
    ['redis', 'NEWTEXT', reply('NEWTEXT of a later version')],
    ['redis', 'ERR', reply('a text without a code')],
    [
      'redis',
      'NOPERM',
      Object.assign(reply('EXECABORT Transaction discarded'), {
        previousErrors: [reply('NOPERM No permissions to access a key')],
      }),
    ],
  ])('finds that %s has refused: %s', (dependency, reason, error) => {
    expect(dependencyFault(error)).toEqual({ dependency, reason, isAway: false });
    expect(isUnavailable(error)).toBe(true);
    expect(isAway(error)).toBe(false);
  });

  it('takes errors that contain themselves', () => {
    const refused = reply('WRONGPASS invalid username-password pair');
    Object.assign(refused, { previousErrors: [refused] });
    expect(dependencyFault(refused)).toMatchObject({ dependency: 'redis', reason: 'WRONGPASS' });
    const circular = new Error('x');
    circular.cause = circular;
    expect(dependencyFault(circular)).toBeNull();
  });

  it('names the reason of an error that was wrapped', () => {
    const error = new UnavailableError('log', 'Redis Streams', reply('NOREPLICAS Not enough'));
    expect(dependencyFault(error)).toEqual({
      dependency: 'log',
      reason: 'NOREPLICAS',
      isAway: true,
    });
  });

  it.each([
    ['a value out of range', sqlError(1264, '22003')],
    ['a text that is too long', sqlError(1406, '22001')],
    ['a duplicate key', sqlError(1062, '23000')],
    ['a value of the wrong type', sqlError(1366, 'HY000')],
    ['a bug in the program', new TypeError('x is not a function')],
    ['a wrong argument', errorOf({ code: 'ERR_INVALID_ARG_TYPE' })],
    ['an aborted wait', new DOMException('This operation was aborted', 'AbortError')],
    ['a missing file', errorOf({ code: 'ENOENT', errno: -2, syscall: 'open' })],
    ['a refusal of the program', new DomainError(404, 'X', 'x')],
    ['no error at all', new AggregateError([])],
    ['a value that is not an error', 'text'],
    ['nothing', undefined],
  ])('does not find %s', (_, error) => {
    expect(dependencyFault(error)).toBeNull();
  });
});
