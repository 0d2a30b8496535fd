import type { Pool as CallbackPool } from 'mysql2';
import { createPool, type Pool, type PoolOptions } from 'mysql2/promise';

/** A server may have another default, under which a statement alone would never be committed. */
export const AUTOCOMMIT = 'SET autocommit = 1';

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
  prepareConnections(pool.pool, [
    AUTOCOMMIT,
    'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED',
    ...settings,
  ]);
  return pool;
}

/**
 * Makes these the first statements of each of the pool's connections. If one fails the connection is
 * not used: it would commit, lock and wait in ways that the program does not expect.
 */
export function prepareConnections(pool: CallbackPool, statements: readonly string[]): void {
  pool.on('connection', (connection) => {
    for (const statement of statements)
      connection.query(statement, (error) => {
        if (error) connection.destroy();
      });
  });
}
