import type { PoolConnection } from 'mysql2/promise';

/** Milliseconds for a statement on a few rows. A server that hangs must not hang its callers. */
export const STATEMENT_TIMEOUT = 10_000;

const isTimeout = (error: unknown): boolean =>
  (error as { code?: unknown } | null)?.code === 'PROTOCOL_SEQUENCE_TIMEOUT';

/**
 * Gives a connection back to its pool after `error` happened on it, rolled back if it was in a
 * transaction; or ends it when nobody can tell its state. One that owes an answer would make
 * everything behind it wait, and it is the server that undoes what it had begun.
 */
export async function giveBackAfter(
  error: unknown,
  connection: PoolConnection,
  { inTransaction }: { inTransaction: boolean },
): Promise<void> {
  if (isTimeout(error)) {
    connection.destroy();
    return;
  }
  try {
    if (inTransaction) await connection.query({ sql: 'ROLLBACK', timeout: STATEMENT_TIMEOUT });
    connection.release();
  } catch {
    connection.destroy();
  }
}
