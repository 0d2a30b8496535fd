import { type RowDataPacket, createConnection } from 'mysql2/promise';
import { DataSource } from 'typeorm';
import { dataSourceOptions } from './data-source-options';
import { namedLock } from './named-lock';

/** How long an instance waits for another one that is migrating. */
const LOCK_TIMEOUT_SECONDS = 120;

export interface MigrationReport {
  /** Names of the migrations that were run or reverted, in that order. */
  names: string[];
}

/**
 * Runs `migrations/` on a database. Instances that start together do so one after another, under a
 * named lock, which MySQL frees when its holder dies.
 */
export class Migrator {
  constructor(private readonly url: string) {}

  /** Applies the missing migrations. */
  up(): Promise<MigrationReport> {
    return this.locked(async (dataSource) => {
      const applied = await dataSource.runMigrations();
      return { names: applied.map(({ name }) => name) };
    });
  }

  /** Reverts the last `steps` migrations. */
  down(steps: number): Promise<MigrationReport> {
    return this.locked(async (dataSource) => {
      const names: string[] = [];
      for (let step = 0; step < steps; step++) {
        const [last] = await dataSource.query<{ name: string }[]>(
          'SELECT name FROM migrations ORDER BY id DESC LIMIT 1',
        );
        if (!last) break;
        await dataSource.undoLastMigration();
        names.push(last.name);
      }
      return { names };
    });
  }

  private async locked<T>(work: (dataSource: DataSource) => Promise<T>): Promise<T> {
    const lock = await createConnection({ uri: this.url, connectTimeout: 3_000 });
    try {
      const [[row]] = await lock.query<RowDataPacket[]>('SELECT GET_LOCK(?, ?) AS held', [
        await namedLock(lock, 'webook-migrations'),
        LOCK_TIMEOUT_SECONDS,
      ]);
      if (row?.held !== 1)
        throw new Error(`Another instance has been migrating for ${LOCK_TIMEOUT_SECONDS} seconds`);
      const dataSource = await new DataSource(dataSourceOptions(this.url)).initialize();
      try {
        return await work(dataSource);
      } finally {
        await dataSource.destroy();
      }
    } finally {
      lock.destroy();
    }
  }
}
