import { Inject, Injectable, OnApplicationShutdown } from '@nestjs/common';
import { createPool, Pool, PoolConnection, ResultSetHeader, RowDataPacket } from 'mysql2/promise';
import { Environment } from '../config';
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

class ConnectionRunner implements SqlRunner {
  constructor(private readonly connection: Pool | PoolConnection) {}

  async rows<T>(sql: string, values: readonly SqlValue[] = []): Promise<T[]> {
    const [rows] = await this.connection.execute<RowDataPacket[]>(sql, values as SqlValue[]);
    return rows as T[];
  }

  async change(sql: string, values: readonly SqlValue[] = []): Promise<ResultSetHeader> {
    const [result] = await this.connection.execute<ResultSetHeader>(sql, values as SqlValue[]);
    return result;
  }

  async bulkRows<T>(sql: string, values: readonly BulkValue[]): Promise<T[]> {
    const [rows] = await this.connection.query<RowDataPacket[]>(sql, values as unknown[]);
    return rows as T[];
  }

  async bulkChange(sql: string, values: readonly BulkValue[]): Promise<ResultSetHeader> {
    const [result] = await this.connection.query<ResultSetHeader>(sql, values as unknown[]);
    return result;
  }
}

const ATTEMPTS = 8;

/**
 * The hot paths' way into MySQL: plain SQL on a pool of prepared connections, no entities.
 * Affected rows count changed rows (FOUND_ROWS is off), since transitions are decided by them.
 */
@Injectable()
export class Database extends ConnectionRunner implements OnApplicationShutdown {
  private readonly pool: Pool;

  constructor(@Inject(Environment) environment: Environment) {
    const pool = createPool({
      uri: environment.MYSQL_URL,
      connectionLimit: environment.MYSQL_POOL_SIZE,
      maxIdle: environment.MYSQL_POOL_SIZE,
      flags: ['-FOUND_ROWS'],
      supportBigNumbers: true,
      bigNumberStrings: false,
      charset: 'utf8mb4',
      timezone: 'Z',
      connectTimeout: 3_000,
      maxPreparedStatements: 200,
    });
    super(pool);
    this.pool = pool;
  }

  /**
   * Runs `work` in one READ COMMITTED transaction and commits it. Deadlocks and lock timeouts roll
   * back and run `work` again (at most 8 times), so it must not touch anything but `tx`.
   */
  async transaction<T>(work: (tx: SqlRunner) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.attempt(work);
      } catch (error) {
        if (!isContention(error) || attempt === ATTEMPTS) throw error;
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 5 * 2 ** attempt));
      }
    }
  }

  private async attempt<T>(work: (tx: SqlRunner) => Promise<T>): Promise<T> {
    const connection = await this.pool.getConnection();
    try {
      // One round trip; gap locks of REPEATABLE READ would only add deadlocks to our point writes.
      await connection.query('SET TRANSACTION ISOLATION LEVEL READ COMMITTED');
      await connection.beginTransaction();
      const result = await work(new ConnectionRunner(connection));
      await connection.commit();
      connection.release();
      return result;
    } catch (error) {
      // A connection whose rollback fails is not given back: its state is unknown.
      await connection.rollback().then(
        () => connection.release(),
        () => connection.destroy(),
      );
      throw error;
    }
  }

  /** After every destroy hook: some of them still write where they have come to. */
  async onApplicationShutdown(): Promise<void> {
    await this.pool.end();
  }
}
