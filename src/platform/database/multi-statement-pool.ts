import type { Pool, PoolConnection } from 'mysql2/promise';
import { openPool } from './open-pool';
import type { StatementBatch } from './statement-batch';
import { withConnection } from './with-connection';

export interface MultiStatementPoolOptions {
  readonly connections: number;
  /** Seconds that a statement waits for a row lock, instead of the server's own setting. */
  readonly lockWaitSeconds: number;
}

/** Sends a batch; the server stops at the first statement that fails. */
export type SendStatements = (batch: StatementBatch) => Promise<readonly unknown[]>;

/** Connections that take several statements at once, which those of `Database` refuse. */
export class MultiStatementPool {
  private readonly pool: Pool;

  /** @param url mysql:// URL */
  constructor(url: string, { connections, lockWaitSeconds }: MultiStatementPoolOptions) {
    this.pool = openPool(url, { connectionLimit: connections, multipleStatements: true }, [
      `SET SESSION innodb_lock_wait_timeout = ${lockWaitSeconds}`,
    ]);
  }

  /**
   * Gives `work` a connection. The batches begin and commit their transaction themselves; when `work`
   * fails, an open transaction is rolled back.
   * @throws UnavailableError when there is no connection, or `work` takes longer than 10 seconds
   */
  use<T>(work: (send: SendStatements) => Promise<T>): Promise<T> {
    return withConnection(this.pool, { inTransaction: true }, (connection) =>
      work((batch) => send(connection, batch)),
    );
  }

  async close(): Promise<void> {
    await this.pool.end();
  }
}

async function send(
  connection: PoolConnection,
  batch: StatementBatch,
): Promise<readonly unknown[]> {
  const [results] = await connection.query(batch.sql, batch.parameters as unknown[]);
  return results as unknown[];
}
