import { Inject, Injectable, OnApplicationShutdown } from '@nestjs/common';
import type { Pool, PoolConnection, ResultSetHeader, RowDataPacket } from 'mysql2/promise';
import { Environment } from '../config';
import { UnavailableError } from '../errors';
import { retry, type RetryOptions } from '../timing';
import { withConnection } from './with-connection';
import { openPool } from './open-pool';
import { isContention } from './sql-errors';

/** A value of a placeholder. `queryRows` and `queryChange` also take rows of values for `VALUES ?`. */
export type SqlValue = string | number | bigint | boolean | null | Buffer | Date;
export type BulkValue = SqlValue | readonly BulkValue[];

/** Runs SQL on the pool, or on the one connection of a transaction. */
export interface SqlRunner {
  /** Rows of a fixed statement, which the server keeps prepared. BIGINT above 2^53 is text. */
  rows<T>(sql: string, values?: readonly SqlValue[]): Promise<T[]>;
  /** A fixed statement that changes rows; `affectedRows` counts the rows whose values changed. */
  change(sql: string, values?: readonly SqlValue[]): Promise<ResultSetHeader>;
  /** Rows of a statement whose length varies: `IN (?)`, `VALUES ?` take nested arrays. Not prepared. */
  queryRows<T>(sql: string, values: readonly BulkValue[]): Promise<T[]>;
  /** A change whose length varies. Not prepared. */
  queryChange(sql: string, values: readonly BulkValue[]): Promise<ResultSetHeader>;
}

/** Runs `work` on a connection. */
type RunOnConnection = <T>(work: (connection: PoolConnection) => Promise<T>) => Promise<T>;

class ConnectionRunner implements SqlRunner {
  constructor(private readonly onConnection: RunOnConnection) {}

  rows<T>(sql: string, values: readonly SqlValue[] = []): Promise<T[]> {
    return this.onConnection(async (connection) => {
      const [rows] = await connection.execute<RowDataPacket[]>(sql, values as SqlValue[]);
      return rows as T[];
    });
  }

  change(sql: string, values: readonly SqlValue[] = []): Promise<ResultSetHeader> {
    return this.onConnection(async (connection) => {
      const [result] = await connection.execute<ResultSetHeader>(sql, values as SqlValue[]);
      return result;
    });
  }

  queryRows<T>(sql: string, values: readonly BulkValue[]): Promise<T[]> {
    return this.onConnection(async (connection) => {
      const [rows] = await connection.query<RowDataPacket[]>(sql, values as unknown[]);
      return rows as T[];
    });
  }

  queryChange(sql: string, values: readonly BulkValue[]): Promise<ResultSetHeader> {
    return this.onConnection(async (connection) => {
      const [result] = await connection.query<ResultSetHeader>(sql, values as unknown[]);
      return result;
    });
  }
}

/** Time limit of a statement or transaction that no request waits for. */
const LONG_RUNNING_MS = 10 * 60_000;
/** For work that met a deadlock or a lock timeout: it was rolled back, so it may be run again. */
const CONTENTION: RetryOptions = {
  attempts: 8,
  firstPauseMs: 10,
  isPassing: isContention,
  giveUp: (error) =>
    new UnavailableError('mysql', 'the rows are locked by other transactions', error),
};

/**
 * MySQL: plain SQL on a pool of connections, no entities. A statement that takes longer than 10
 * seconds, or has met a deadlock or a lock timeout 8 times, fails with `UnavailableError`.
 */
@Injectable()
export class Database extends ConnectionRunner implements OnApplicationShutdown {
  /** For statements that read or change many rows: they may take ten minutes. */
  readonly longRunning: SqlRunner;
  /** A connection of its own, for short statements that must not wait while the pool is fully used. */
  readonly reserved: SqlRunner;
  private readonly pool: Pool;
  private readonly reservedPool: Pool;
  private schemaName: string | undefined;

  constructor(@Inject(Environment) { MYSQL_URL, MYSQL_POOL_SIZE }: Environment) {
    const pool = openPool(MYSQL_URL, {
      connectionLimit: MYSQL_POOL_SIZE,
      maxIdle: MYSQL_POOL_SIZE,
      maxPreparedStatements: 200,
    });
    super((work) => retry(CONTENTION, () => withConnection(pool, { inTransaction: false }, work)));
    this.longRunning = new ConnectionRunner((work) =>
      retry(CONTENTION, () =>
        withConnection(pool, { inTransaction: false, timeoutMs: LONG_RUNNING_MS }, work),
      ),
    );
    this.pool = pool;
    const reserved = openPool(MYSQL_URL, { connectionLimit: 1, maxPreparedStatements: 10 });
    this.reserved = new ConnectionRunner((work) =>
      retry(CONTENTION, () => withConnection(reserved, { inTransaction: false }, work)),
    );
    this.reservedPool = reserved;
  }

  /** The schema as the server and its binlog spell it; the URL may use other letter case. */
  async schema(): Promise<string> {
    if (this.schemaName === undefined) {
      const [row] = await this.rows<{ name: string }>('SELECT DATABASE() AS name');
      this.schemaName = (row as { name: string }).name;
    }
    return this.schemaName;
  }

  /** Pings the server on the reserved connection: a pool that is fully used is load, not an outage. */
  async check(): Promise<void> {
    await withConnection(this.reservedPool, { inTransaction: false }, (connection) =>
      connection.ping(),
    );
  }

  /**
   * Runs `work` in one READ COMMITTED transaction and commits it. After a deadlock or a lock timeout the
   * transaction is rolled back and `work` runs again, so it must have no effect but through `tx`.
   */
  transaction<T>(work: (tx: SqlRunner) => Promise<T>): Promise<T> {
    return this.transact(work);
  }

  /** The same for a transaction that may take ten minutes. */
  longRunningTransaction<T>(work: (tx: SqlRunner) => Promise<T>): Promise<T> {
    return this.transact(work, LONG_RUNNING_MS);
  }

  /** After every destroy hook: some of them still save their position. */
  async onApplicationShutdown(): Promise<void> {
    await Promise.all([this.pool.end(), this.reservedPool.end()]);
  }

  private transact<T>(work: (tx: SqlRunner) => Promise<T>, timeoutMs?: number): Promise<T> {
    return retry(CONTENTION, () =>
      withConnection(this.pool, { inTransaction: true, timeoutMs }, (connection) =>
        transact(connection, work),
      ),
    );
  }
}

async function transact<T>(
  connection: PoolConnection,
  work: (tx: SqlRunner) => Promise<T>,
): Promise<T> {
  await connection.beginTransaction();
  const result = await work(new ConnectionRunner((statement) => statement(connection)));
  await connection.commit();
  return result;
}
