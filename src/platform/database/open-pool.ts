import { createPool, type Pool, type PoolOptions } from 'mysql2/promise';

/**
 * What all pools have in common. BIGINT above 2^53 is text, times are UTC. Sessions are READ COMMITTED:
 * the gap locks of REPEATABLE READ would only add deadlocks to writes of single rows. It is set once
 * for each connection, which saves every transaction a round trip.
 * @param settings statements for what `options` cannot set
 */
export function openPool(
  url: string,
  options: PoolOptions,
  settings: readonly string[] = [],
): Pool {
  const pool = createPool({
    uri: url,
    // Affected rows are then the rows whose values changed: transitions are decided by them.
    flags: ['-FOUND_ROWS'],
    supportBigNumbers: true,
    bigNumberStrings: false,
    charset: 'utf8mb4',
    timezone: 'Z',
    connectTimeout: 3_000,
    ...options,
  });
  pool.pool.on('connection', (connection) => {
    // The first statements of the connection. If one fails the connection must not be used: it would
    // lock gaps and wait for locks in ways that the program does not expect.
    for (const statement of ['SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED', ...settings])
      connection.query(statement, (error) => {
        if (error) connection.destroy();
      });
  });
  return pool;
}
