import type { Pool, PoolConnection } from 'mysql2/promise';
import { UnavailableError } from '../errors';

/**
 * Milliseconds for which a connection is lent, waiting for one included. A server that hangs must not
 * hang its callers; mysql2 itself bounds neither the wait for a connection nor what prepares or
 * commits.
 */
const PATIENCE = 10_000;

export interface LendOptions {
  readonly inTransaction: boolean;
  /** Milliseconds instead of `PATIENCE`. */
  readonly patience?: number;
}

/**
 * Lends `work` a connection of the pool, and takes it back in a state in which the next one can have
 * it. When `work` fails `inTransaction`, whatever is open is rolled back. A connection that owes an
 * answer is ended: it would make everything behind it wait, and the server undoes what it had begun.
 * @throws UnavailableError when there is no connection, or `work` takes too long; what it has sent may
 * still happen
 */
export async function lend<T>(
  pool: Pool,
  { inTransaction, patience = PATIENCE }: LendOptions,
  work: (connection: PoolConnection) => Promise<T>,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  let isOver = false;
  const over = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      isOver = true;
      reject(new UnavailableError('mysql', `no answer within ${patience} ms`));
    }, patience);
  });
  try {
    const connection = await acquire(pool, over);
    try {
      const result = await Promise.race([work(connection), over]);
      connection.release();
      return result;
    } catch (error) {
      await takeBack(connection, inTransaction, over);
      throw error;
    }
  } finally {
    // Nobody races against it any more, and without the timer it never rejects.
    if (!isOver) clearTimeout(timer);
  }
}

async function acquire(pool: Pool, over: Promise<never>): Promise<PoolConnection> {
  const acquiring = pool.getConnection();
  try {
    return await Promise.race([acquiring, over]);
  } catch (error) {
    // One that comes too late goes back at once.
    acquiring.then(
      (late) => late.release(),
      () => undefined,
    );
    if (error instanceof UnavailableError) throw error;
    const { code } = error as { code?: string };
    throw new UnavailableError('mysql', `it gives no connection (${code ?? String(error)})`, error);
  }
}

async function takeBack(
  connection: PoolConnection,
  inTransaction: boolean,
  over: Promise<never>,
): Promise<void> {
  try {
    // At once when it is over already: an answer that is owed comes before any other.
    await Promise.race([over, inTransaction ? connection.query('ROLLBACK') : undefined]);
    connection.release();
  } catch {
    connection.destroy();
  }
}
