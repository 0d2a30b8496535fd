import { Inject, Injectable, OnApplicationShutdown } from '@nestjs/common';
import type { Pool, PoolConnection, ResultSetHeader, RowDataPacket } from 'mysql2/promise';
import { Environment } from '../config';
import { UnavailableError } from '../errors';
import { lend } from './lend';
import { openPool } from './open-pool';
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

/** How often work is tried that deadlocks with others, or finds its rows locked for too long. */
const ATTEMPTS = 8;
/** Milliseconds for what nobody waits for. */
const UNHURRIED = 10 * 60_000;

/**
 * The way into MySQL: plain SQL on a pool of prepared connections, no entities. Whatever takes
 * longer than 10 seconds, or is still in the way of others when it has been tried 8 times, fails with
 * `UnavailableError`.
 */
@Injectable()
export class Database extends ConnectionRunner implements OnApplicationShutdown {
  /** For statements that walk through a lot: they may take ten minutes. */
  readonly unhurried: SqlRunner;
  private readonly pool: Pool;
  private readonly health: Pool;
  private schemaName: string | undefined;

  constructor(@Inject(Environment) { MYSQL_URL, MYSQL_POOL_SIZE }: Environment) {
    const pool = openPool(MYSQL_URL, {
      connectionLimit: MYSQL_POOL_SIZE,
      maxIdle: MYSQL_POOL_SIZE,
      maxPreparedStatements: 200,
    });
    // A statement that met a deadlock was rolled back, so it may simply be sent again.
    super((work) => untilUncontended(() => lend(pool, { inTransaction: false }, work)));
    this.unhurried = new ConnectionRunner((work) =>
      untilUncontended(() => lend(pool, { inTransaction: false, patience: UNHURRIED }, work)),
    );
    this.pool = pool;
    this.health = openPool(MYSQL_URL, { connectionLimit: 1 });
  }

  /** The schema as the server spells it, and with it the binlog: the URL may spell it otherwise. */
  async schema(): Promise<string> {
    if (this.schemaName === undefined) {
      const [row] = await this.rows<{ name: string }>('SELECT DATABASE() AS name');
      this.schemaName = (row as { name: string }).name;
    }
    return this.schemaName;
  }

  /** Asks the server for an answer on a connection apart: a full house is load, not an outage. */
  async check(): Promise<void> {
    await lend(this.health, { inTransaction: false }, (connection) => connection.ping());
  }

  /**
   * Runs `work` in one READ COMMITTED transaction and commits it. Deadlocks and lock timeouts roll
   * back and run `work` again, so it must not touch anything but `tx`.
   */
  transaction<T>(work: (tx: SqlRunner) => Promise<T>): Promise<T> {
    return this.transact(work);
  }

  /** The same for one that may take ten minutes. */
  unhurriedTransaction<T>(work: (tx: SqlRunner) => Promise<T>): Promise<T> {
    return this.transact(work, UNHURRIED);
  }

  /** After every destroy hook: some of them still write where they have come to. */
  async onApplicationShutdown(): Promise<void> {
    await Promise.all([this.pool.end(), this.health.end()]);
  }

  private transact<T>(work: (tx: SqlRunner) => Promise<T>, patience?: number): Promise<T> {
    return untilUncontended(() =>
      lend(this.pool, { inTransaction: true, patience }, (connection) =>
        transact(connection, work),
      ),
    );
  }
}

async function untilUncontended<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!isContention(error)) throw error;
      if (attempt === ATTEMPTS)
        throw new UnavailableError('mysql', 'others are at work on the same rows', error);
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 5 * 2 ** attempt));
    }
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
