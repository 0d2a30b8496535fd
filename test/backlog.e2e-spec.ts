import { binlogTopic, type RowChange } from '../src/cdc';
import type { EventLog } from '../src/messaging';
import { createEventLog } from '../src/messaging/messaging.module';
import { Environment } from '../src/platform/config';
import { Migrator } from '../src/platform/database';
import { eventually, Program, Sql, streamsWithRelay } from './support';

const ROWS = 30_000;
/** As many as a message of Canal may have. */
const ROWS_PER_MESSAGE = 500;
const GROUPS = ['interactive-cache', 'ranking'];
/** A few times what the idle program takes, and a fraction of what all rows at once would take. */
const HEAP_MB = 128;

describe('a backlog of captured changes', () => {
  let env: Record<string, string>;
  let log: EventLog;
  let program: Program | undefined;

  beforeAll(async () => {
    env = await streamsWithRelay.prepare('backlog');
    log = createEventLog(Object.assign(new Environment(), env));
  });
  afterAll(async () => {
    await program?.kill();
    await log?.close();
  });

  it('is handled in little memory, whatever its size', async () => {
    await new Migrator(env.MYSQL_URL!).up();
    const sql = await Sql.open(env.MYSQL_URL!);
    await sql.change(
      "INSERT INTO interactives (id, biz, biz_id, read_cnt, like_cnt, version, ctime, utime) VALUES (1, 'et', 1, 7, ?, 3, 1, 1)",
      [ROWS - 1],
    );
    await sql.close();
    const { name, partitions } = binlogTopic;
    await log.ensureTopic(name, partitions);
    for (let from = 0; from < ROWS; from += ROWS_PER_MESSAGE) {
      const changes = Array.from({ length: ROWS_PER_MESSAGE }, (_, i) => changeOf(from + i + 1));
      const partition = (from / ROWS_PER_MESSAGE) % partitions;
      await log.append(name, 'all', [{ key: null, partition, value: binlogTopic.encode(changes) }]);
    }

    program = await Program.start({
      env: { ...env, NODE_OPTIONS: `--max-old-space-size=${HEAP_MB}` },
    });
    await eventually(
      async () => {
        for (const group of GROUPS) expect(await log.lag(group, name)).toEqual([0, 0, 0]);
      },
      { timeoutMs: 150_000 },
    );
    expect(program.output).not.toContain('timed out');
    const object = await program.get('/api/interactive/et/1');
    expect(object.body).toMatchObject({ readCnt: 7, likeCnt: ROWS - 1 });
    const best = await program.get('/api/ranking/likes/items/1');
    expect(best.body).toMatchObject({ rank: 1 });
  }, 220_000);
});

function changeOf(id: number): RowChange {
  const before = {
    id: `${id}`,
    biz: 'et',
    biz_id: `${id}`,
    read_cnt: '6',
    like_cnt: `${ROWS - id}`,
    collect_cnt: '0',
    version: '2',
    ctime: '1700000000000',
    utime: '1700000000000',
  };
  return {
    database: 'webook_test_backlog',
    table: 'interactives',
    kind: 'update',
    before,
    after: { ...before, read_cnt: '7', version: '3' },
    position: { serverId: 1, file: 'mysql-bin.000001', offset: id },
    ordinal: 0,
    executedAt: 1_700_000_000_000,
  };
}
