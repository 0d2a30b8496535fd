import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RowDataPacket } from 'mysql2/promise';
import { capturedTables } from '../src/captured-tables';
import {
  binlogTopic,
  captureHeartbeatsTable,
  type CaptureGap,
  CaptureGaps,
  CapturedTables,
  partitionOf,
  type RowChange,
  type RowImage,
} from '../src/cdc';
import { BinlogServer } from '../src/cdc/binlog/binlog-server';
import { BinlogSettings } from '../src/cdc/binlog/binlog-settings';
import { Relay } from '../src/cdc/relay/relay';
import { TopicProvisioner } from '../src/messaging';
import { StreamsEventLog } from '../src/messaging/streams/streams-event-log';
import { readEnvironment } from '../src/platform/config';
import { Database, lockName, Migrator } from '../src/platform/database';
import { HealthRegistry } from '../src/platform/health';
import { asRoot, eventually, PrivateStack, Program, Sql } from './support';

const PARTITIONS = binlogTopic.partitions;
const TABLES = new CapturedTables(capturedTables);

interface Captured extends RowChange {
  readonly partition: number;
}

/**
 * The content of the topic of captured changes without heartbeats, one partition after another, each in
 * its order.
 */
async function captured(log: StreamsEventLog): Promise<Captured[]> {
  const changes: Captured[] = [];
  const ends = await log.endOffsets(binlogTopic.name);
  for (let partition = 0; partition < ends.length; partition++)
    for (let offset = 0; offset < ends[partition]!;) {
      const messages = await log.read(binlogTopic.name, partition, offset, 1_000);
      for (const { value } of messages)
        changes.push(
          ...binlogTopic
            .decode(value)
            .filter(({ table }) => table !== captureHeartbeatsTable.name)
            .map((change) => ({ ...change, partition })),
        );
      if (messages.length === 0) break;
      offset = messages.at(-1)!.offset + 1;
    }
  return changes;
}

/** A rewrite has none: it is not about one row. */
const idOf = ({ before, after }: RowChange): string => (after ?? before)?.id ?? '';

/** The relay within this process, on a database with nothing but its own table. */
class LocalRelay {
  readonly gaps: CaptureGap[] = [];

  private constructor(
    readonly health: HealthRegistry,
    private readonly relay: Relay,
    private readonly settings: BinlogSettings,
    private readonly database: Database,
    private readonly log: StreamsEventLog,
    gaps: CaptureGaps,
  ) {
    gaps.gaps$.subscribe((gap) => this.gaps.push(gap));
  }

  static async start(env: { MYSQL_URL: string; REDIS_URL: string }): Promise<LocalRelay> {
    const environment = readEnvironment({ ...env, NODE_ENV: 'test' });
    const database = new Database(environment);
    const log = new StreamsEventLog(env.REDIS_URL);
    const gaps = new CaptureGaps();
    const health = new HealthRegistry();
    const server = new BinlogServer(database, environment);
    const settings = new BinlogSettings(environment, server, gaps, health);
    const relay = new Relay(
      environment,
      database,
      server,
      settings,
      log,
      TABLES,
      new TopicProvisioner(log, environment),
      gaps,
      health,
    );
    const local = new LocalRelay(health, relay, settings, database, log, gaps);
    try {
      await relay.onModuleInit();
      settings.onApplicationBootstrap();
    } catch (error) {
      await local.stop();
      throw error;
    }
    return local;
  }

  /** The error of its health check. */
  async fault(): Promise<string | undefined> {
    return (await this.health.readiness()).checks.cdc?.error;
  }

  async ready(): Promise<void> {
    await eventually(async () => expect(await this.fault()).toBeUndefined());
  }

  async stop(): Promise<void> {
    this.settings.onModuleDestroy();
    await this.relay.onModuleDestroy();
    await this.database.onApplicationShutdown();
    await this.log.close();
  }
}

describe('the relay', () => {
  let stack: PrivateStack;
  let env: Record<string, string>;
  let url: string;
  let sql: Sql;
  let log: StreamsEventLog;
  let database: string;
  const programs: Program[] = [];
  const relays: LocalRelay[] = [];

  /** A program that only relays: it is a member of no consumer group of captured changes. */
  async function start(name = 'relay'): Promise<Program> {
    const program = await Program.start({ name, env });
    programs.push(program);
    return program;
  }

  async function startLocal(
    overrides: Partial<Record<'MYSQL_URL', string>> = {},
  ): Promise<LocalRelay> {
    const relay = await LocalRelay.start({
      MYSQL_URL: url,
      REDIS_URL: env.REDIS_URL!,
      ...overrides,
    });
    relays.push(relay);
    return relay;
  }

  const insert = (id: number, bizId = id): Promise<unknown> =>
    sql.change(
      "INSERT INTO interactives (id, biz, biz_id, like_cnt, ctime, utime) VALUES (?, 'et', ?, 0, 1, 1)",
      [id, bizId],
    );

  const arrives = (ids: readonly number[]): Promise<void> =>
    eventually(async () => {
      const seen = new Set((await captured(log)).map(idOf));
      expect(ids.filter((id) => !seen.has(String(id)))).toEqual([]);
    });

  const imageOf = async (id: number): Promise<RowImage | null | undefined> =>
    (await captured(log)).findLast((change) => idOf(change) === String(id))?.after;

  /** Of earlier tests. */
  let formerRewrites = 0;

  /** Why rows of each table may have changed, by the rewrites that one partition has of this test. */
  const rewrites = async (): Promise<(readonly [table: string, cause: string | undefined])[]> =>
    (await captured(log))
      .filter(({ kind, partition }) => kind === 'rewrite' && partition === 0)
      .slice(formerRewrites)
      .map(({ table, cause }) => [table, cause]);

  /** Ends the matching connections of the server, as an operator or a failing proxy does. */
  async function killConnections(condition: string): Promise<void> {
    const rows = await sql.rows<{ id: number }>(
      `SELECT ID AS id FROM information_schema.PROCESSLIST WHERE ${condition}`,
    );
    expect(rows).not.toHaveLength(0);
    for (const { id } of rows) await sql.change(`KILL ${id}`);
  }

  beforeAll(async () => {
    stack = await PrivateStack.start('test-relay');
    url = stack.environment.MYSQL_URL;
    database = new URL(url).pathname.slice(1);
    env = {
      ...stack.environment,
      MQ_ENGINE: 'streams',
      CDC_ENGINE: 'relay',
      ROLE: 'worker',
      CONSUMER_GROUPS: 'history',
    };
    log = new StreamsEventLog(env.REDIS_URL!);
    sql = await Sql.open(url);
    await new Migrator(url).up();
  });

  afterEach(async () => {
    for (const program of programs.splice(0)) await program.kill();
    for (const relay of relays.splice(0)) await relay.stop();
    await sql?.change('DELETE FROM interactives');
    await sql?.change('DELETE FROM cdc_positions');
    formerRewrites += (await rewrites()).length;
  });

  afterAll(async () => {
    await sql?.close();
    await log?.close();
    await stack?.drop();
  });

  it('publishes rows written by SQL, each to the partition that Canal would choose', async () => {
    await start();
    await insert(1, 42);
    await sql.change('UPDATE interactives SET like_cnt = 7 WHERE id = 1');
    await sql.change('DELETE FROM interactives WHERE id = 1');
    await insert(2, Number.MAX_SAFE_INTEGER);
    await sql.change(
      "INSERT INTO articles (author_id, title, content, status, ctime, utime) VALUES (1, 't', 'c', 1, 1, 1)",
    );
    await insert(3, 4711);
    await arrives([1, 2, 3]);
    const changes = rowsOf(await captured(log));
    expect(changes.filter((change) => idOf(change) === '1')).toMatchObject([
      { database, table: 'interactives', kind: 'insert', before: null, after: { biz_id: '42' } },
      { kind: 'update', before: { like_cnt: '0' }, after: { like_cnt: '7' } },
      { kind: 'delete', before: { like_cnt: '7' }, after: null },
    ]);
    expect(new Set(changes.map(({ table }) => table))).toEqual(new Set(['interactives']));
    for (const change of changes) {
      const bizId = (change.after ?? change.before)!.biz_id!;
      expect(change.partition).toBe(partitionOf(database, bizId, PARTITIONS));
    }
  });

  it('numbers the rows of a statement in their order, over all messages and partitions', async () => {
    await start();
    const ids = Array.from({ length: 250 }, (_, i) => 201 + i);
    await sql.change(
      'INSERT INTO interactives (id, biz, biz_id, like_cnt, ctime, utime) VALUES ?',
      [ids.map((id) => [id, 'et', id, 0, 1, 1])],
    );
    await arrives(ids);
    const changes = (await captured(log)).filter((change) => ids.includes(Number(idOf(change))));
    const inOrder = changes.sort(
      (a, b) => a.position!.offset - b.position!.offset || a.ordinal - b.ordinal,
    );
    expect(inOrder.map(idOf)).toEqual(ids.map(String));
    expect(new Set(changes.map(({ partition }) => partition)).size).toBe(PARTITIONS);
  });

  it('publishes changes that were made while no relay ran', async () => {
    const first = await start();
    await insert(11);
    await arrives([11]);
    expect(await first.stop()).toBe(0);
    await insert(12);
    await asRoot(sql, (root) => root.query('FLUSH BINARY LOGS'));
    await insert(13);
    await start();
    await arrives([12, 13]);
    // After a regular stop no change is published twice.
    expect((await captured(log)).filter((change) => idOf(change) === '11')).toHaveLength(1);
  });

  it('loses nothing when it is killed in the middle of 2,000 changes', async () => {
    const CHANGES = 2_000;
    let program = await start();
    await insert(21);
    const writing = (async () => {
      for (let i = 1; i <= CHANGES; i++)
        await sql.change('UPDATE interactives SET like_cnt = ? WHERE id = 21', [i]);
    })();
    const published = async (): Promise<number[]> =>
      (await captured(log))
        .filter((change) => idOf(change) === '21' && change.kind === 'update')
        .map(({ after }) => Number(after!.like_cnt));
    for (const atLeast of [300, 900]) {
      await eventually(async () => expect((await published()).length).toBeGreaterThan(atLeast));
      await program.kill();
      program = await start();
    }
    await writing;
    await eventually(async () => expect((await published()).at(-1)).toBe(CHANGES));
    const seen = await published();
    expect(new Set(seen).size).toBe(CHANGES);
    // After each kill at most, the changes up to the newest one are published again.
    const stepsBack = seen.filter((count, i) => i > 0 && count <= seen[i - 1]!);
    expect(stepsBack.length).toBeLessThanOrEqual(2);
  });

  it('runs in one of several instances, and another one takes over', async () => {
    const first = await start('first');
    const second = await start('second');
    await insert(31);
    await arrives([31]);
    expect((await captured(log)).filter((change) => idOf(change) === '31')).toHaveLength(1);
    await first.kill();
    await insert(32);
    await arrives([32]);
    expect(second.output).toContain('Capturing changes from');
  });

  it('continues when its connections are killed', async () => {
    const program = await start();
    await insert(41);
    await arrives([41]);
    await killConnections("COMMAND LIKE 'Binlog Dump%'");
    await insert(42);
    await arrives([42]);
    const [lock] = await sql.rows<{ id: number }>('SELECT IS_USED_LOCK(?) AS id', [
      lockName('webook-relay', database),
    ]);
    await sql.change(`KILL ${lock!.id}`);
    await insert(43);
    await arrives([43]);
    await eventually(async () => expect((await program.get('/readyz')).status).toBe(200));
  });

  it('continues when MySQL has crashed and runs again', async () => {
    const program = await start();
    await insert(51);
    await arrives([51]);
    await stack.kill('mysql');
    await eventually(async () => expect((await program.get('/readyz')).status).toBe(503));
    await stack.up();
    sql = await Sql.open(url);
    await insert(52);
    await arrives([52]);
    await eventually(async () => expect((await program.get('/readyz')).status).toBe(200));
  });

  it('stops reading the binlog while the log does not answer, and loses nothing', async () => {
    // More than the relay buffers.
    const ROWS = 30_000;
    const program = await start();
    await stack.freeze('redis');
    try {
      const ids = Array.from({ length: ROWS }, (_, i) => 100_000 + i);
      await sql.change(
        'INSERT INTO interactives (id, biz, biz_id, like_cnt, ctime, utime) VALUES ?',
        [ids.map((id) => [id, 'et', id, 0, 1, 1])],
      );
      await eventually(async () => expect((await program.get('/readyz')).status).toBe(503));
      await stack.thaw('redis');
      await arrives(ids);
    } finally {
      await stack.thaw('redis');
    }
  });

  it('reports a gap when the binlog was purged meanwhile, and continues', async () => {
    const first = await startLocal();
    await first.ready();
    await insert(61);
    await arrives([61]);
    await first.stop();
    relays.length = 0;
    await insert(62);
    await asRoot(sql, async (root) => {
      await root.query('FLUSH BINARY LOGS');
      const [current] = await sql.rows<{ File: string }>('SHOW MASTER STATUS');
      // The server keeps a file until it has noticed that the stopped relay's connection ended.
      await eventually(async () => {
        await root.query('PURGE BINARY LOGS TO ?', [current!.File]);
        const [files] = await root.query<RowDataPacket[]>('SHOW BINARY LOGS');
        expect(files).toHaveLength(1);
      });
    });
    const second = await startLocal();
    await eventually(() => expect(second.gaps).toHaveLength(1));
    expect(second.gaps[0]!.reason).toMatch(/^the binlog cannot be read from mysql-bin\.\d+:\d+/);
    await second.ready();
    await insert(63);
    await arrives([63]);
    expect((await captured(log)).some((change) => idOf(change) === '62')).toBe(false);
  });

  it.each([
    ['of another server', 'server_id = server_id + 1'],
    ['in the middle of an event', 'position = position - 5'],
    ['after the end', 'position = position + 100000000'],
  ])('reports a gap at a position %s', async (_, change) => {
    const first = await startLocal();
    await first.ready();
    await insert(71);
    await arrives([71]);
    await first.stop();
    relays.length = 0;
    await sql.change(`UPDATE cdc_positions SET ${change}`);
    // The server reads a length from the middle of an event and waits until the file has that many bytes.
    for (const id of [73, 74, 75, 76]) await insert(id);
    const second = await startLocal();
    await eventually(() => expect(second.gaps).toHaveLength(1));
    await second.ready();
    await insert(72);
    await arrives([72]);
    expect(second.gaps).toHaveLength(1);
  });

  it('captures the database in the spelling of the server, not of the URL', async () => {
    const last = database.at(-1)!.charCodeAt(0).toString(16);
    const relay = await startLocal({
      MYSQL_URL: url.replace(database, `${database.slice(0, -1)}%${last}`),
    });
    await relay.ready();
    await insert(95);
    await arrives([95]);
  });

  it('publishes to each partition that the rows of a table were removed without a change of each', async () => {
    const relay = await startLocal();
    await relay.ready();
    await insert(91);
    await sql.change('TRUNCATE TABLE interactives');
    await insert(92);
    await arrives([92]);
    // What was read from the middle of an event may have been taken for the server's word on lost changes.
    const rewrites = (await captured(log)).filter(
      ({ kind, table }) => kind === 'rewrite' && table === 'interactives',
    );
    for (let partition = 0; partition < PARTITIONS; partition++)
      expect(rewrites.filter((change) => change.partition === partition)).toMatchObject([
        { database, table: 'interactives', before: null, after: null },
      ]);
  });

  it('leaves out rows of a table that has other columns since, and goes on, when the binlog lacks the column names', async () => {
    await asRoot(sql, (root) => root.query('SET GLOBAL binlog_row_metadata = MINIMAL'));
    const old = await Sql.open(url);
    try {
      for (const table of ['follows_07', 'follows_08', 'follows_09'])
        await sql.change(`CREATE TABLE ${table} (id BIGINT, from_user_id BIGINT, extra BIGINT)`);
      const first = await startLocal();
      await first.ready();
      await old.change('INSERT INTO follows_07 VALUES (81, 1, 2)');
      await arrives([81]);
      await first.stop();
      relays.length = 0;
      for (const table of ['follows_07', 'follows_08', 'follows_09'])
        await old.change(`INSERT INTO ${table} VALUES (82, 1, 2)`);
      await insert(84);
      await sql.change('ALTER TABLE follows_07 DROP COLUMN extra');
      await sql.change('ALTER TABLE follows_08 ADD COLUMN another BIGINT NOT NULL AFTER id');
      await sql.change('DROP TABLE follows_09');
      const second = await startLocal();
      await old.change('INSERT INTO follows_07 VALUES (83, 1)');
      await arrives([83, 84]);
      expect((await captured(log)).some((change) => idOf(change) === '82')).toBe(false);
      expect(second.gaps).toEqual([]);
      expect(await rewrites()).toEqual(
        expect.arrayContaining([
          ['follows_07', expect.stringMatching(/it has 2 columns, but 3 in the binlog/)],
          ['follows_08', expect.stringMatching(/it has 4 columns, but 3 in the binlog/)],
          ['follows_09', expect.stringMatching(/^rows after mysql-bin.*it no longer exists/)],
        ]),
      );
    } finally {
      await old.close();
      await sql.change('DROP TABLE IF EXISTS follows_07, follows_08, follows_09');
      await asRoot(sql, (root) => root.query('SET GLOBAL binlog_row_metadata = FULL'));
    }
  });

  it('reads rows whose columns were renamed, dropped and added since', async () => {
    const first = await startLocal();
    await first.ready();
    await first.stop();
    relays.length = 0;
    await sql.change('ALTER TABLE interactives ADD COLUMN extra BIGINT NULL AFTER id');
    await sql.change(
      "INSERT INTO interactives (id, extra, biz, biz_id, ctime, utime) VALUES (85, 7, 'et', 85, 1, 1)",
    );
    await sql.change('ALTER TABLE interactives DROP COLUMN extra');
    await startLocal();
    await arrives([85]);
    expect(await imageOf(85)).toMatchObject({ extra: '7', biz_id: '85', like_cnt: '0' });
  });

  it('shows rows of an XA transaction neither when it is prepared nor after a rollback, and reports its commit', async () => {
    const relay = await startLocal();
    await relay.ready();
    const other = await Sql.open(url);
    const prepare = async (name: string, statement: string): Promise<void> => {
      await other.change(`XA START '${name}'`);
      await other.change(statement);
      await other.change(`XA END '${name}'`);
    };
    const row = (id: number): string =>
      `INSERT INTO interactives (id, biz, biz_id, ctime, utime) VALUES (${id}, 'et', ${id}, 1, 1)`;
    try {
      await prepare('back', row(101));
      await other.change("XA PREPARE 'back'");
      await insert(102);
      await other.change("XA ROLLBACK 'back'");
      await prepare('elsewhere', 'UPDATE articles SET title = 1 WHERE id = 0');
      await other.change("XA COMMIT 'elsewhere' ONE PHASE");
      await insert(103);
      await arrives([102, 103]);
      expect(await rewrites()).toEqual([]);
      await prepare('there', row(104));
      await other.change("XA PREPARE 'there'");
      await other.change("XA COMMIT 'there'");
      await insert(105);
      await arrives([105]);
      expect(await rewrites()).toEqual([
        ['interactives', expect.stringMatching(/^the XA transaction .* was committed$/)],
      ]);
      await prepare('at once', row(106));
      await other.change("XA COMMIT 'at once' ONE PHASE");
      await prepare('before a restart', row(107));
      await other.change("XA PREPARE 'before a restart'");
      await insert(108);
      await arrives([108]);
      await relay.stop();
      relays.length = 0;
      await startLocal();
      await other.change("XA COMMIT 'before a restart'");
      await insert(109);
      await arrives([109]);
      expect((await rewrites()).slice(-1)).toEqual([['', expect.stringContaining('committed')]]);
      const shown = (await captured(log)).map(idOf);
      // MariaDB logs what is committed at once as any other transaction.
      expect(shown).toContain('106');
      expect(shown.filter((id) => ['101', '104', '107'].includes(id))).toEqual([]);
    } finally {
      await other.close();
    }
  });

  it('leaves long values out of rows, however large', async () => {
    const relay = await startLocal();
    await relay.ready();
    await sql.change('ALTER TABLE interactives ADD COLUMN note MEDIUMTEXT NULL');
    try {
      await sql.change(
        "INSERT INTO interactives (id, biz, biz_id, note, ctime, utime) VALUES (111, 'et', 111, REPEAT('x', 2000000), 1, 1)",
      );
      await sql.change("UPDATE interactives SET like_cnt = 7, note = 'y' WHERE id = 111");
      await eventually(async () =>
        expect(await imageOf(111)).toMatchObject({ like_cnt: '7', note: 'y' }),
      );
      const [inserted, updated] = (await captured(log)).filter((change) => idOf(change) === '111');
      expect(inserted!.after).toMatchObject({ biz_id: '111', like_cnt: '0' });
      expect([inserted!.after!.note, updated!.before!.note]).toEqual([undefined, undefined]);
    } finally {
      await sql.change('ALTER TABLE interactives DROP COLUMN note');
    }
  });

  it('follows settings that are changed while it runs, and names those with which changes are missing', async () => {
    const relay = await startLocal();
    await relay.ready();
    await asRoot(sql, async (root) => {
      const own = async (session: string, statement: string): Promise<void> => {
        await root.query(`USE ${database}`);
        await root.query(`SET SESSION ${session}`);
        await root.query(statement);
        await root.query('SET SESSION binlog_format = ROW, binlog_row_image = FULL');
      };
      try {
        await root.query('SET GLOBAL binlog_checksum = NONE');
        await insert(121);
        await arrives([121]);
        await root.query('SET GLOBAL binlog_checksum = CRC32');
        await insert(122);
        await arrives([122]);
        const [{ File: file }] = (await sql.rows<{ File: string }>('SHOW MASTER STATUS')) as [
          { File: string },
        ];
        const last = (await captured(log)).find((change) => idOf(change) === '122');
        expect(last?.position?.file).toBe(file);
        await own(
          'binlog_row_image = MINIMAL',
          'UPDATE interactives SET like_cnt = 7 WHERE id = 122',
        );
        await eventually(async () => {
          const updated = (await captured(log)).filter(({ kind }) => kind === 'update');
          expect(updated).toContainEqual(
            expect.objectContaining({ before: { id: '122' }, after: { like_cnt: '7' } }),
          );
        });
        await own(
          'binlog_format = STATEMENT',
          'UPDATE interactives SET like_cnt = 8 WHERE id = 122',
        );
        await eventually(async () =>
          expect(await rewrites()).toEqual([
            ['interactives', 'UPDATE interactives SET like_cnt = 8 WHERE id = 122'],
          ]),
        );
        expect([await relay.fault(), relay.gaps]).toEqual([undefined, []]);
        await root.query('SET GLOBAL binlog_row_image = MINIMAL');
        await eventually(async () => {
          expect(await relay.fault()).toBe(
            'binlog_row_image is MINIMAL: set binlog_row_image=FULL',
          );
          expect(relay.gaps[0]?.reason).toMatch('changes may be missing, since binlog_row_image');
        });
        await root.query('SET GLOBAL binlog_row_image = FULL');
        await eventually(async () => {
          expect(await relay.fault()).toBeUndefined();
          expect(relay.gaps.at(-1)!.reason).toMatch('settings were wrong until now');
        });
      } finally {
        await root.query(
          'SET GLOBAL binlog_checksum = CRC32, GLOBAL binlog_row_image = FULL, GLOBAL binlog_format = ROW',
        );
      }
    });
  });

  it('is not stopped by a short wait_timeout', async () => {
    const old = await Sql.open(url);
    await asRoot(sql, async (root) => {
      await root.query('SET GLOBAL wait_timeout = 1, GLOBAL binlog_row_metadata = MINIMAL');
      try {
        const reader = async (): Promise<unknown> => {
          const rows = await sql.rows<{ id: number }>(
            "SELECT ID AS id FROM information_schema.PROCESSLIST WHERE COMMAND LIKE 'Binlog Dump%'",
          );
          return rows.map(({ id }) => id);
        };
        const relay = await startLocal();
        await relay.ready();
        const before = await reader();
        // Longer than that, the reader's second connection is idle.
        await eventually(async () => {
          const [idle] = await sql.rows<{ seconds: number }>(
            "SELECT MAX(TIME) AS seconds FROM information_schema.PROCESSLIST WHERE COMMAND = 'Sleep' AND ID > CONNECTION_ID()",
          );
          expect(idle!.seconds).toBeGreaterThan(2);
        });
        await old.change(
          "INSERT INTO interactives (id, biz, biz_id, ctime, utime) VALUES (131, 'et', 131, 1, 1)",
        );
        await arrives([131]);
        expect([await relay.fault(), await reader()]).toEqual([undefined, before]);
      } finally {
        await root.query('SET GLOBAL wait_timeout = DEFAULT, GLOBAL binlog_row_metadata = FULL');
      }
    });
    await old.close();
  });

  it('names the grant that the user lacks', async () => {
    await asRoot(sql, async (root) => {
      await root.query("CREATE OR REPLACE USER 'plain'@'%' IDENTIFIED BY 'plain'");
      await root.query(`GRANT ALL ON ${database}.* TO 'plain'@'%'`);
      const plain = Object.assign(new URL(url), { username: 'plain', password: 'plain' }).href;
      await expect(startLocal({ MYSQL_URL: plain })).rejects.toThrow(
        /user "plain" may not read the binlog.*GRANT REPLICATION SLAVE, REPLICATION CLIENT/,
      );
      // The boot reports it as what it is, not as a fault of the address.
      const program = Program.spawn({ env: { ...env, MYSQL_URL: plain } });
      expect(await program.ended()).toBe(1);
      expect(program.output).toMatch(/^MySQL's user "plain" may not read the binlog/m);
      expect(program.output).not.toMatch(/cannot listen|    at /);
      await root.query("GRANT REPLICATION CLIENT ON *.* TO 'plain'@'%'");
      const relay = await startLocal({ MYSQL_URL: plain });
      await eventually(async () =>
        expect(await relay.fault()).toMatch(
          /user "plain" may not read the binlog.*GRANT REPLICATION SLAVE/,
        ),
      );
      await root.query("GRANT REPLICATION SLAVE ON *.* TO 'plain'@'%'");
      await relay.ready();
    });
  });

  it('sends what Canal sends for the same statements', async () => {
    const folder = join(__dirname, 'fixtures/canal');
    const statements = readFileSync(join(folder, 'statements.sql'), 'utf8')
      .split('\n')
      .filter((line) => line && !line.startsWith('--'));
    const ofCanal = (
      JSON.parse(readFileSync(join(folder, 'protobuf.json'), 'utf8')) as { value: string }[]
    ).flatMap(({ value }) => binlogTopic.decode(Buffer.from(value, 'base64')));
    const parity = `${database}_parity`;
    const parityUrl = Object.assign(new URL(url), { pathname: `/${parity}` }).href;
    await sql.change(`CREATE DATABASE ${parity} CHARACTER SET utf8mb4`);
    await new Migrator(parityUrl).up();
    const own = await Sql.open(parityUrl);
    try {
      await own.change('DROP TABLE interactives');
      const relay = await startLocal({ MYSQL_URL: parityUrl });
      await relay.ready();
      await own.change("SET time_zone = '+00:00'");
      for (const statement of statements) await own.change(statement);
      const changes = await eventually(async () => {
        const all = (await captured(log)).filter((change) => change.database === parity);
        expect(rowsOf(all)).toHaveLength(rowsOf(ofCanal).length);
        return rowsOf(all);
      });
      expect(comparable(changes)).toEqual(comparable(rowsOf(ofCanal)));
      for (const change of changes) {
        const value = (change.after ?? change.before)![TABLES.hashColumnOf(change.table)!]!;
        expect(change.partition).toBe(partitionOf(parity, value, PARTITIONS));
      }
    } finally {
      await own.close();
    }
  });
});

/** Without DDL, which Canal publishes to one partition only. */
const rowsOf = <Change extends RowChange>(changes: readonly Change[]): Change[] =>
  changes.filter(({ before, after }) => before ?? after);

/** In the order of the binlog, without what differs between two runs. */
function comparable(changes: readonly RowChange[]): unknown[] {
  return [...changes]
    .sort(
      (a, b) =>
        a.position!.offset - b.position!.offset || (BigInt(idOf(a)) < BigInt(idOf(b)) ? -1 : 1),
    )
    .map(({ table, kind, before, after }) => ({ table, kind, before, after }));
}
