import { join } from 'node:path';
import { createPool, type PoolOptions } from 'mysql2';
import type { DataSourceOptions } from 'typeorm';
import { AUTOCOMMIT, prepareConnections } from './open-pool';

/** TypeORM's options for a MySQL or MariaDB URL; the schema comes from `migrations/` alone. */
export function dataSourceOptions(url: string): DataSourceOptions {
  return {
    type: 'mysql',
    url,
    charset: 'utf8mb4',
    timezone: 'Z',
    supportBigNumbers: true,
    bigNumberStrings: false,
    synchronize: false,
    migrationsTableName: 'migrations',
    migrations: [join(__dirname, '../../../migrations/*.{js,ts}')],
    migrationsTransactionMode: 'none',
    extra: { connectionLimit: 4, connectTimeout: 3_000 },
    driver: {
      createPool(options: PoolOptions) {
        const pool = createPool(options);
        prepareConnections(pool, [AUTOCOMMIT]);
        return pool;
      },
    },
  };
}
