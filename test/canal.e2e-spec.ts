import { binlogTopic, type RowChange } from '../src/cdc';
import { rewrittenTables } from '../src/cdc/binlog/rewritten-tables';
import type { EventLog } from '../src/messaging';
import { createEventLog } from '../src/messaging/messaging.module';
import { Environment } from '../src/platform/config';
import { Migrator } from '../src/platform/database';
import { asRoot, eventually, kafkaWithCanal, Sql, withoutCanal } from './support';

const TABLES = ['interactives'];
/** Each of these removes or replaces rows of `interactives`, and Canal's own parser does not see it. */
const DDL = [
  'CREATE OR REPLACE TABLE interactives LIKE prepared',
  'RENAME TABLES interactives TO gone, prepared TO interactives',
  'RENAME TABLE IF EXISTS interactives TO prepared',
  'RENAME TABLE gone WAIT 1 TO interactives',
  'TRUNCATE TABLE /*!50000 interactives */',
  'TRUNCATE TABLE interactives WAIT 1',
  'SET STATEMENT lock_wait_timeout = 1 FOR TRUNCATE TABLE interactives',
  'TRUNCATE TABLE interactives -- commit',
];

describe.each(['protobuf', 'flat'] as const)('what Canal sends as %s', (form) => {
  let env: Record<string, string>;
  let sql: Sql;
  let other: Sql;
  let log: EventLog;
  let database: string;
  let ends: number[];

  const insert = (id: number, by = sql): Promise<unknown> =>
    by.change(
      "INSERT INTO interactives (id, biz, biz_id, like_cnt, ctime, utime) VALUES (?, 'et', ?, 0, 1, 1)",
      [id, id],
    );

  /** Of this test, one partition after another, in their order. */
  async function captured(): Promise<(RowChange & { partition: number })[]> {
    const changes: (RowChange & { partition: number })[] = [];
    for (const [partition, end] of (await log.endOffsets(binlogTopic.name)).entries())
      for (let offset = ends[partition]!; offset < end;) {
        const messages = await log.read(binlogTopic.name, partition, offset, 1_000);
        if (messages.length === 0) break;
        for (const { value } of messages)
          changes.push(...binlogTopic.decode(value).map((change) => ({ ...change, partition })));
        offset = messages.at(-1)!.offset + 1;
      }
    return changes;
  }

  const rowsOf = async (id: number): Promise<RowChange[]> =>
    (await captured()).filter(({ before, after }) => (after ?? before)?.id === String(id));
  const arrives = (...ids: number[]): Promise<void> =>
    eventually(async () => {
      for (const id of ids) expect(await rowsOf(id)).not.toEqual([]);
    });
  /** Why the table's rows may have changed, by what every partition has. */
  const rewrites = async (): Promise<string[]> => {
    const causes = (await captured())
      .filter(
        ({ kind, database: schema, cause = '' }) =>
          kind === 'rewrite' ||
          (kind === 'statement' && rewrittenTables(cause, schema, database, TABLES).length > 0),
      )
      .map(({ partition, cause = '' }) => [partition, cause] as const);
    const [first, ...rest] = [0, 1, 2].map((number) =>
      causes.filter(([partition]) => partition === number).map(([, cause]) => cause),
    );
    for (const others of rest) expect(others).toEqual(first);
    return first!;
  };

  beforeAll(async () => {
    env = await kafkaWithCanal(form).prepare('canal');
    database = new URL(env.MYSQL_URL!).pathname.slice(1);
    await new Migrator(env.MYSQL_URL!).up();
    sql = await Sql.open(env.MYSQL_URL!);
    other = await Sql.open(env.MYSQL_URL!);
    log = createEventLog(Object.assign(new Environment(), env));
    await log.ensureTopic(binlogTopic.name, binlogTopic.partitions);
  });

  beforeEach(async () => {
    ends = await log.endOffsets(binlogTopic.name);
    // What earlier tests have written is before this row.
    await insert(1);
    await arrives(1);
    ends = await log.endOffsets(binlogTopic.name);
  });

  afterEach(async () => {
    await sql?.change('DELETE FROM interactives');
  });

  afterAll(async () => {
    await sql?.close();
    await other?.close();
    await log?.close();
  });

  it('has no rows of XA transactions, but that one was committed or rolled back, and the rows beside it', async () => {
    const prepare = async (name: string, id: number): Promise<void> => {
      await other.change(`XA START '${name}'`);
      await insert(id, other);
      await other.change(`XA END '${name}'`);
      await other.change(`XA PREPARE '${name}'`);
    };
    await prepare('back', 11);
    await insert(12);
    await other.change("XA ROLLBACK 'back'");
    await insert(13);
    await prepare('there', 14);
    await other.change("XA COMMIT 'there'");
    await insert(15);
    await other.change("XA START 'at once'");
    await insert(16, other);
    await other.change("XA END 'at once'");
    await other.change("XA COMMIT 'at once' ONE PHASE");
    await insert(17);
    await arrives(12, 13, 15, 17);
    const [back, there, ...atOnce] = await rewrites();
    expect(back).toMatch(/^XA ROLLBACK/);
    expect(there).toMatch(/^XA COMMIT/);
    expect([...(await rowsOf(11)), ...(await rowsOf(14))]).toEqual([]);
    // MariaDB logs it as any other transaction.
    expect((await rowsOf(16)).length + atOnce.length).toBe(1);
  });

  it('has each statement that rewrites the table, whatever its form', async () => {
    await sql.change('CREATE TABLE prepared LIKE interactives');
    try {
      for (const ddl of DDL) await sql.change(ddl);
    } finally {
      await sql.change('DROP TABLE IF EXISTS prepared, gone');
    }
    await insert(21);
    await arrives(21);
    expect(await rewrites()).toEqual(DDL);
  });

  it('has rows without their long values, and those written while a column was there', async () => {
    await withoutCanal(async () => {
      await sql.change('ALTER TABLE interactives ADD COLUMN note LONGTEXT NULL AFTER id');
      await sql.change(
        "INSERT INTO interactives (id, biz, biz_id, note, ctime, utime) VALUES (31, 'et', 31, REPEAT('x', 2000000), 1, 1), (32, 'et', 32, 'y', 1, 1)",
      );
      await sql.change('ALTER TABLE interactives DROP COLUMN note');
    });
    await insert(33);
    await arrives(31, 32, 33);
    const images = [...(await rowsOf(31)), ...(await rowsOf(32)), ...(await rowsOf(33))].map(
      ({ after }) => [after!.biz_id, after!.like_cnt, after!.note],
    );
    expect(images).toEqual([
      ['31', '0', undefined],
      ['32', '0', 'y'],
      ['33', '0', undefined],
    ]);
  });

  it('has a note in the place of rows whose columns are unknown, and the rows beside them', async () => {
    await asRoot(sql, (root) => root.query('SET GLOBAL binlog_row_metadata = MINIMAL'));
    try {
      await withoutCanal(async () => {
        await sql.change('ALTER TABLE interactives ADD COLUMN note BIGINT NULL AFTER id');
        await insert(41);
        await sql.change('ALTER TABLE interactives DROP COLUMN note');
      });
      await insert(42);
      await arrives(42);
      expect(await rowsOf(41)).toEqual([]);
      expect(await rewrites()).toContainEqual(
        expect.stringMatching(/^rows of interactives at .* cannot be read: it has \d columns/),
      );
    } finally {
      await asRoot(sql, (root) => root.query('SET GLOBAL binlog_row_metadata = FULL'));
    }
  });

  it('has changes that were logged as statements or in part, or without checksums', async () => {
    await asRoot(sql, async (root) => {
      try {
        await root.query(`USE ${database}`);
        await root.query('SET SESSION binlog_format = STATEMENT');
        await root.query('UPDATE interactives SET like_cnt = 8 WHERE id = 1');
        await root.query('SET SESSION binlog_format = ROW, binlog_row_image = MINIMAL');
        await root.query('UPDATE interactives SET like_cnt = 9 WHERE id = 1');
        await root.query('SET GLOBAL binlog_checksum = NONE');
        await insert(51);
        await arrives(51);
        await root.query('SET GLOBAL binlog_checksum = CRC32');
        await insert(52);
        await arrives(52);
        // While MariaDB's last checkpoint may still be in the file before.
        const [{ File: file }] = (await sql.rows<{ File: string }>('SHOW MASTER STATUS')) as [
          { File: string },
        ];
        if (form === 'protobuf') expect((await rowsOf(52))[0]!.position!.file).toBe(file);
      } finally {
        await root.query('SET GLOBAL binlog_checksum = CRC32');
      }
    });
    expect(await rewrites()).toEqual(['UPDATE interactives SET like_cnt = 8 WHERE id = 1']);
    const partial = (await captured()).filter(({ kind }) => kind === 'update');
    expect(partial.map(({ after }) => after)).toEqual([{ like_cnt: '9' }]);
  });

  it('goes on with a note when the binlog cannot be read', async () => {
    await asRoot(sql, async (root) => {
      await root.query('RESET MASTER');
      // Canal would read on in the file that was deleted.
      const dumps = await sql.rows<{ id: number }>(
        "SELECT ID AS id FROM information_schema.PROCESSLIST WHERE COMMAND LIKE 'Binlog Dump%' AND USER = 'canal'",
      );
      for (const { id } of dumps) await root.query(`KILL ${id}`);
    });
    await eventually(async () =>
      expect(await rewrites()).toEqual([
        expect.stringMatching(/^the binlog cannot be read from mysql-bin\.\d+:\d+ \(/),
      ]),
    );
    await insert(61);
    await arrives(61);
  });
});
