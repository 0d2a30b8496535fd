import { createPool, type Pool, type PoolOptions } from 'mysql2/promise';

/**
 * What all pools have in common. BIGINT beyond 2^53 comes as text, times as UTC. Sessions are READ
 * COMMITTED, since the gap locks of REPEATABLE READ would only add deadlocks to our point writes;
 * they are so from the start, which spares each transaction a round trip to say so.
 * @param settings further statements that make a session what `options` alone cannot
 */
export function openPool(
  url: string,
  options: PoolOptions,
  settings: readonly string[] = [],
): Pool {
  const pool = createPool({
    uri: url,
    // Affected rows are those that really changed: transitions are decided by them.
    flags: ['-FOUND_ROWS'],
    supportBigNumbers: true,
    bigNumberStrings: false,
    charset: 'utf8mb4',
    timezone: 'Z',
    connectTimeout: 3_000,
    ...options,
  });
  pool.pool.on('connection', (connection) => {
    // Sent before anything else on it. Without them the connection must not be used: it would wait
    // for locks, and lock gaps, in ways that nobody reckons with.
    for (const statement of ['SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED', ...settings])
      connection.query(statement, (error) => {
        if (error) connection.destroy();
      });
  });
  return pool;
}
