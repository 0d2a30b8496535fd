import { UnavailableError } from './unavailable.error';
import { isUnavailable, unavailableDependency } from './unavailability';

const errorOf = (fields: object, message = 'x') => Object.assign(new Error(message), fields);

describe('unavailability', () => {
  it.each([
    ['log', new UnavailableError('log', 'no broker')],
    ['mysql', errorOf({ code: 'PROTOCOL_CONNECTION_LOST' })],
    ['mysql', errorOf({ errno: 1053, sqlState: '08S01' })],
    ['mysql', errorOf({ driverError: errorOf({ code: 'PROTOCOL_CONNECTION_LOST' }) })],
    ['mysql', new Error('Pool is closed.')],
    ['redis', errorOf({ name: 'MaxRetriesPerRequestError' })],
    ['redis', new Error('LOADING Redis is loading the dataset in memory')],
    ['redis', new Error('Connection is closed.')],
    ['dependency', errorOf({ code: 'ECONNREFUSED', syscall: 'connect' })],
    ['dependency', new AggregateError([errorOf({ code: 'ECONNREFUSED', syscall: 'connect' })])],
  ])('reports that %s is unavailable', (dependency, error) => {
    expect(unavailableDependency(error)).toBe(dependency);
  });

  it.each([
    errorOf({ errno: 1062, sqlState: '23000' }),
    errorOf({ errno: 1205, sqlState: 'HY000' }),
    new TypeError('x is not a function'),
    errorOf({ code: 'ERR_INVALID_ARG_TYPE' }),
    new AggregateError([]),
    undefined,
    'text',
  ])('does not take other errors for an outage: %p', (error) => {
    expect(isUnavailable(error)).toBe(false);
  });
});
