import { createHash } from 'node:crypto';
import { Redis } from 'ioredis';
import { Sql } from './sql';
import { databaseOf, testEnvironment } from './test-environment';

/** The addresses that the programs of a test use. */
export interface StackEnvironment {
  readonly MYSQL_URL: string;
  readonly REDIS_URL: string;
}

/** Redis has 16 databases by default; 0 is the shared one. */
const REDIS_DATABASES = 16;

/** Not emptied between suites: the schema and the topics, with the consumers' offsets, stay. */
const KEPT_TABLES = new Set(['migrations', 'consumer_offsets']);

async function flushRedis(url: string): Promise<void> {
  const redis = new Redis(url);
  try {
    await redis.flushdb();
  } finally {
    redis.disconnect();
  }
}

/**
 * A new, empty database and an empty Redis database for one suite. Not for Canal, which captures
 * the shared database only.
 * @param name of the suite, letters, digits and underscores
 */
export async function isolatedStack(name: string): Promise<StackEnvironment> {
  const { MYSQL_URL, REDIS_URL } = testEnvironment();
  const database = `webook_test_${name}`;
  const sql = await Sql.open(MYSQL_URL);
  try {
    await sql.change(`DROP DATABASE IF EXISTS ${database}`);
    await sql.change(`CREATE DATABASE ${database} CHARACTER SET utf8mb4`);
  } finally {
    await sql.close();
  }
  const index = 1 + (createHash('sha1').update(name).digest()[0]! % (REDIS_DATABASES - 1));
  const stack = {
    MYSQL_URL: Object.assign(new URL(MYSQL_URL), { pathname: `/${database}` }).href,
    REDIS_URL: Object.assign(new URL(REDIS_URL), { pathname: `/${index}` }).href,
  };
  await flushRedis(stack.REDIS_URL);
  return stack;
}

/** The shared database that Canal captures, emptied of rows, and the shared Redis, emptied. */
export async function emptySharedStack(): Promise<StackEnvironment> {
  const { MYSQL_URL, REDIS_URL } = testEnvironment();
  const sql = await Sql.open(MYSQL_URL);
  try {
    const tables = await sql.rows<{ name: string }>(
      `SELECT TABLE_NAME AS name FROM information_schema.TABLES
       WHERE TABLE_SCHEMA = ? AND TABLE_TYPE = 'BASE TABLE'`,
      [databaseOf(MYSQL_URL)],
    );
    // DELETE, since the binlog has no rows of a TRUNCATE, and caches and boards must follow.
    for (const { name } of tables)
      if (!KEPT_TABLES.has(name)) await sql.change(`DELETE FROM \`${name}\``);
  } finally {
    await sql.close();
  }
  await flushRedis(REDIS_URL);
  return { MYSQL_URL, REDIS_URL };
}
