import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { dataSourceOptions } from '../src/platform/database/data-source-options';
import {
  asRoot,
  cli,
  eventually,
  isolatedStack,
  Program,
  Sql,
  type StackEnvironment,
} from './support';

type EntityClass = new () => object;

/** Every entity class of the program. */
function entities(): EntityClass[] {
  const source = join(__dirname, '../src');
  return readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.entity.ts'))
    .flatMap((file) =>
      Object.values(jest.requireActual<Record<string, EntityClass>>(join(source, file))),
    )
    .filter((value) => typeof value === 'function');
}

describe('the database schema', () => {
  let stack: StackEnvironment;
  let sql: Sql;

  const tables = () =>
    sql.rows<{ definition: string }>(
      `SELECT CONCAT_WS(' ', TABLE_NAME, COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE, COLUMN_DEFAULT,
         COLLATION_NAME, COLUMN_KEY, EXTRA) AS definition
       FROM information_schema.COLUMNS
       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME <> 'migrations'
       ORDER BY TABLE_NAME, ORDINAL_POSITION`,
    );

  beforeAll(async () => {
    stack = await isolatedStack('schema');
    expect(await cli(stack, 'migrate')).toMatchObject({ code: 0 });
    sql = await Sql.open(stack.MYSQL_URL);
  });
  afterAll(() => sql.close());

  it('matches the entities: TypeORM would change nothing', async () => {
    const [server] = await sql.rows<{ version: string }>('SELECT VERSION() AS version');
    const dataSource = await new DataSource({
      ...dataSourceOptions(stack.MYSQL_URL),
      // MariaDB writes defaults in another way, which TypeORM handles only for this type.
      type: server?.version.includes('MariaDB') ? 'mariadb' : 'mysql',
      migrations: [],
      entities: entities(),
    } as DataSourceOptions).initialize();
    try {
      expect(dataSource.entityMetadatas.length).toBeGreaterThan(0);
      const { upQueries } = await dataSource.driver.createSchemaBuilder().log();
      expect(upQueries.map(({ query }) => query)).toEqual([]);
    } finally {
      await dataSource.destroy();
    }
  });

  it('is empty after every migration is reverted, and the same after they run again', async () => {
    const before = await tables();
    expect(before.length).toBeGreaterThan(0);
    expect(await cli(stack, 'migrate', '--down', '1000')).toMatchObject({ code: 0 });
    expect(await tables()).toEqual([]);
    expect(await cli(stack, 'migrate')).toMatchObject({ code: 0 });
    expect(await tables()).toEqual(before);
    expect(await cli(stack, 'migrate')).toMatchObject({ code: 0, stdout: 'Nothing to do\n' });
  });

  it('is migrated, and the program works, where transactions do not commit by themselves', async () => {
    const other = await isolatedStack('schema_autocommit');
    await asRoot(sql, (root) => root.query('SET GLOBAL autocommit = 0'));
    try {
      expect(await cli(other, 'migrate')).toMatchObject({ code: 0 });
      expect(await cli(other, 'migrate')).toMatchObject({ code: 0, stdout: 'Nothing to do\n' });
      const program = await Program.start({ env: { ...other } });
      await program.post('/api/interactive/et/1/reads');
      await eventually(async () => {
        const { body } = await program.get<{ readCnt: number }>('/api/interactive/et/1');
        expect(body.readCnt).toBe(1);
      });
      await program.stop();
    } finally {
      await asRoot(sql, (root) => root.query('SET GLOBAL autocommit = 1'));
    }
    const migrated = await Sql.open(other.MYSQL_URL);
    const offsets = 'SELECT COUNT(*) AS n FROM consumer_offsets WHERE next_offset > 0';
    expect(await migrated.rows(offsets)).not.toEqual([{ n: 0 }]);
    await migrated.close();
  });

  it('is migrated once when several instances start together', async () => {
    const empty = await isolatedStack('schema_together');
    const runs = await Promise.all([1, 2, 3].map(() => cli(empty, 'migrate')));
    expect(runs.map(({ code }) => code)).toEqual([0, 0, 0]);
    const idle = runs.filter(({ stdout }) => stdout === 'Nothing to do\n');
    expect(idle).toHaveLength(2);
  });
});
