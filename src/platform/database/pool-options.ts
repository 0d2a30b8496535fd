import type { PoolOptions } from 'mysql2/promise';

/** What all pools have in common. BIGINT beyond 2^53 comes as text, times as UTC. */
export const poolOptions = (url: string): PoolOptions => ({
  uri: url,
  // Affected rows are those that really changed: transitions are decided by them.
  flags: ['-FOUND_ROWS'],
  supportBigNumbers: true,
  bigNumberStrings: false,
  charset: 'utf8mb4',
  timezone: 'Z',
  connectTimeout: 3_000,
});
