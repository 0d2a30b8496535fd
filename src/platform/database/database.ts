import { Inject, Injectable, OnApplicationShutdown } from '@nestjs/common';
import { createPool, Pool, PoolConnection, ResultSetHeader, RowDataPacket } from 'mysql2/promise';
import { Environment } from '../config';
import { lend } from './lend';
import { poolOptions } from './pool-options';
import { isContention } from './sql-errors';

/** A value that a placeholder takes; `bulk` also takes rows of values for `VALUES ?`. */
export type SqlValue = string | number | bigint | boolean | null | Buffer | Date;
export type BulkValue = SqlValue | readonly BulkValue[];

/** Runs SQL on the pool, or on the one connection of a transaction. */
export interface SqlRunner {
  /** Rows of a fixed statement, which the server keeps prepared. BIGINT beyond 2^53 comes as text. */
  rows<T>(sql: string, values?: readonly SqlValue[]): Promise<T[]>;
  /** A fixed statement that changes rows; `affectedRows` counts those that really changed. */
  change(sql: string, values?: readonly SqlValue[]): Promise<ResultSetHeader>;
  /** Rows of a statement whose length varies: `IN (?)`, `VALUES ?` take nested arrays. Not prepared. */
  bulkRows<T>(sql: string, values: readonly BulkValue[]): Promise<T[]>;
  /** A change whose length varies. Not prepared. */
  bulkChange(sql: string, values: readonly BulkValue[]): Promise<ResultSetHeader>;
}

/** Runs `work` on a connection. */
type Lend = <T>(work: (connection: PoolConnection) => Promise<T>) => Promise<T>;

class ConnectionRunner implements SqlRunner {
  constructor(private readonly lend: Lend) {}

  rows<T>(sql: string, values: readonly SqlValue[] = []): Promise<T[]> {
    return this.lend(async (connection) => {
      const [rows] = await connection.execute<RowDataPacket[]>(sql, values as SqlValue[]);
      return rows as T[];
    });
  }

  change(sql: string, values: readonly SqlValue[] = []): Promise<ResultSetHeader> {
    return this.lend(async (connection) => {
      const [result] = await connection.execute<ResultSetHeader>(sql, values as SqlValue[]);
      return result;
    });
  }

  bulkRows<T>(sql: string, values: readonly BulkValue[]): Promise<T[]> {
    return this.lend(async (connection) => {
      const [rows] = await connection.query<RowDataPacket[]>(sql, values as unknown[]);
      return rows as T[];
    });
  }

  bulkChange(sql: string, values: readonly BulkValue[]): Promise<ResultSetHeader> {
    return this.lend(async (connection) => {
      const [result] = await connection.query<ResultSetHeader>(sql, values as unknown[]);
      return result;
    });
  }
}

const ATTEMPTS = 8;

/**
 * The way into MySQL: plain SQL on a pool of prepared connections, no entities. Whatever takes
 * longer than 10 seconds fails with `UnavailableError`.
 */
@Injectable()
export class Database extends ConnectionRunner implements OnApplicationShutdown {
  private readonly pool: Pool;
  private readonly health: Pool;

  constructor(@Inject(Environment) { MYSQL_URL, MYSQL_POOL_SIZE }: Environment) {
    const pool = createPool({
      ...poolOptions(MYSQL_URL),
      connectionLimit: MYSQL_POOL_SIZE,
      maxIdle: MYSQL_POOL_SIZE,
      maxPreparedStatements: 200,
    });
    super((work) => lend(pool, { inTransaction: false }, work));
    this.pool = pool;
    this.health = createPool({ ...poolOptions(MYSQL_URL), connectionLimit: 1 });
  }

  /** Asks the server for an answer on a connection apart: a full house is load, not an outage. */
  async check(): Promise<void> {
    await lend(this.health, { inTransaction: false }, (connection) => connection.ping());
  }

  /**
   * Runs `work` in one READ COMMITTED transaction and commits it. Deadlocks and lock timeouts roll
   * back and run `work` again (at most 8 times), so it must not touch anything but `tx`.
   */
  async transaction<T>(work: (tx: SqlRunner) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await lend(this.pool, { inTransaction: true }, (connection) =>
          transact(connection, work),
        );
      } catch (error) {
        if (!isContention(error) || attempt === ATTEMPTS) throw error;
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 5 * 2 ** attempt));
      }
    }
  }

  /** After every destroy hook: some of them still write where they have come to. */
  async onApplicationShutdown(): Promise<void> {
    await Promise.all([this.pool.end(), this.health.end()]);
  }
}

async function transact<T>(
  connection: PoolConnection,
  work: (tx: SqlRunner) => Promise<T>,
): Promise<T> {
  // Gap locks of REPEATABLE READ would only add deadlocks to our point writes.
  await connection.query('SET TRANSACTION ISOLATION LEVEL READ COMMITTED');
  await connection.beginTransaction();
  const result = await work(new ConnectionRunner((statement) => statement(connection)));
  await connection.commit();
  return result;
}
