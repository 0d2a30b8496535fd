import { Inject, Injectable, OnApplicationShutdown } from '@nestjs/common';
import { createPool, Pool, PoolConnection, ResultSetHeader, RowDataPacket } from 'mysql2/promise';
import { Environment } from '../config';
import { isContention } from './sql-errors';
import { giveBackAfter, STATEMENT_TIMEOUT } from './statement-timeout';

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
      const [rows] = await connection.execute<RowDataPacket[]>({
        sql,
        values: values as SqlValue[],
        timeout: STATEMENT_TIMEOUT,
      });
      return rows as T[];
    });
  }

  change(sql: string, values: readonly SqlValue[] = []): Promise<ResultSetHeader> {
    return this.lend(async (connection) => {
      const [result] = await connection.execute<ResultSetHeader>({
        sql,
        values: values as SqlValue[],
        timeout: STATEMENT_TIMEOUT,
      });
      return result;
    });
  }

  bulkRows<T>(sql: string, values: readonly BulkValue[]): Promise<T[]> {
    return this.lend(async (connection) => {
      const [rows] = await connection.query<RowDataPacket[]>({
        sql,
        values: values as unknown[],
        timeout: BULK_TIMEOUT,
      });
      return rows as T[];
    });
  }

  bulkChange(sql: string, values: readonly BulkValue[]): Promise<ResultSetHeader> {
    return this.lend(async (connection) => {
      const [result] = await connection.query<ResultSetHeader>({
        sql,
        values: values as unknown[],
        timeout: BULK_TIMEOUT,
      });
      return result;
    });
  }
}

const ATTEMPTS = 8;
/** Milliseconds for a statement whose length varies: at most some thousand rows. */
const BULK_TIMEOUT = 30_000;

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
    super(async (work) => {
      const connection = await pool.getConnection();
      try {
        const result = await work(connection);
        connection.release();
        return result;
      } catch (error) {
        await giveBackAfter(error, connection, { inTransaction: false });
        throw error;
      }
    });
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
      const result = await work(new ConnectionRunner((statement) => statement(connection)));
      await connection.commit();
      connection.release();
      return result;
    } catch (error) {
      await giveBackAfter(error, connection, { inTransaction: true });
      throw error;
    }
  }

  /** After every destroy hook: some of them still write where they have come to. */
  async onApplicationShutdown(): Promise<void> {
    await this.pool.end();
  }
}
