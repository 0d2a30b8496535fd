import type { Pool, PoolConnection } from 'mysql2/promise';
import { UnavailableError } from '../errors';

/**
 * How long `work` may take, including the wait for a connection. A server that hangs must not hang its
 * callers, and mysql2 itself limits neither that wait nor a prepare or a commit.
 */
const TIMEOUT_MS = 10_000;

export interface ConnectionOptions {
  readonly inTransaction: boolean;
  /** Instead of 10 seconds. */
  readonly timeoutMs?: number;
}

/**
 * Gives `work` a connection of the pool, and returns the connection in a clean state. When `work` fails
 * `inTransaction`, the open transaction is rolled back. A connection that still owes an answer is
 * closed: its next user would wait for that answer, and the server undoes what was open on it.
 * @throws UnavailableError when there is no connection, or `work` takes too long; a statement that was
 * sent may still take effect
 */
export async function withConnection<T>(
  pool: Pool,
  { inTransaction, timeoutMs = TIMEOUT_MS }: ConnectionOptions,
  work: (connection: PoolConnection) => Promise<T>,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  let isOver = false;
  const over = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      isOver = true;
      reject(new UnavailableError('mysql', `no answer within ${timeoutMs} ms`));
    }, timeoutMs);
  });
  try {
    const connection = await acquire(pool, over);
    try {
      const result = await Promise.race([work(connection), over]);
      connection.release();
      return result;
    } catch (error) {
      await returnConnection(connection, inTransaction, over);
      throw error;
    }
  } finally {
    // The race is over; without its timer, `over` never rejects.
    if (!isOver) clearTimeout(timer);
  }
}

async function acquire(pool: Pool, over: Promise<never>): Promise<PoolConnection> {
  const acquiring = pool.getConnection();
  try {
    return await Promise.race([acquiring, over]);
  } catch (error) {
    // A connection that arrives too late goes straight back.
    acquiring.then(
      (late) => late.release(),
      () => undefined,
    );
    if (error instanceof UnavailableError) throw error;
    const { code } = error as { code?: string };
    throw new UnavailableError('mysql', `it gives no connection (${code ?? String(error)})`, error);
  }
}

async function returnConnection(
  connection: PoolConnection,
  inTransaction: boolean,
  over: Promise<never>,
): Promise<void> {
  try {
    // Fails at once when the time is over: the missing answer would come before that of ROLLBACK.
    await Promise.race([over, inTransaction ? connection.query('ROLLBACK') : undefined]);
    connection.release();
  } catch {
    connection.destroy();
  }
}
