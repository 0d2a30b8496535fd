import type { ArticleRead } from '../src/article';
import { InteractiveRepository } from '../src/interactive/interactive.repository';
import { ReadsService } from '../src/interactive/reads.service';
import { type MessageBatch, OffsetFence } from '../src/messaging';
import { Environment } from '../src/platform/config';
import { Database, Migrator } from '../src/platform/database';
import { below, isolatedStack, Sql } from './support';

const WORKERS = 6;
const BATCHES = 20;
const BATCH_SIZE = 1_000;
/** Objects that the workers' batches of a round share. */
const OBJECTS = 500;

describe('reads of the same objects by several partitions', () => {
  let sql: Sql;
  let databases: Database[];
  let workers: ReadsService[];

  beforeAll(async () => {
    const stack = await isolatedStack('reads_contention');
    await new Migrator(stack.MYSQL_URL).up();
    sql = await Sql.open(stack.MYSQL_URL);
    const environment = Object.assign(new Environment(), stack);
    // As in processes of their own.
    databases = Array.from({ length: WORKERS }, () => new Database(environment));
    workers = databases.map(
      (each) => new ReadsService(each, new OffsetFence(each), new InteractiveRepository(each)),
    );
  });

  afterAll(async () => {
    await Promise.all([
      sql?.close(),
      ...(databases ?? []).map((each) => each.onApplicationShutdown()),
    ]);
  });

  const readsOf = async (biz: string): Promise<Map<number, number>> => {
    const rows = await sql.rows<{ biz_id: number; read_cnt: number }>(
      'SELECT biz_id, read_cnt FROM interactives WHERE biz = ?',
      [biz],
    );
    return new Map(rows.map((row) => [row.biz_id, row.read_cnt]));
  };

  const batchOf = (
    partition: number,
    offset: number,
    events: readonly ArticleRead[],
  ): MessageBatch<ArticleRead> => ({
    group: 'interactive',
    topic: 'article_read_event',
    partition,
    logId: 'log',
    messages: events.map((value, i) => ({
      key: null,
      value,
      partition,
      offset: offset + i,
      timestamp: 0,
    })),
  });

  it('counts each exactly, fails no batch, and hardly ever has to do one again', async () => {
    const attempts = jest.spyOn(InteractiveRepository.prototype, 'addReads');
    const expected = new Map<number, number>();
    await Promise.all(
      workers.map(async (worker, partition) => {
        for (let round = 0; round < BATCHES; round++) {
          // Half of them are new in each round, in an order of their own in each batch.
          const events = Array.from({ length: BATCH_SIZE }, () => ({
            Aid: 1 + (round * OBJECTS) / 2 + below(OBJECTS),
            Uid: 0,
            Biz: 'shared',
          }));
          for (const { Aid } of events) expected.set(Aid, (expected.get(Aid) ?? 0) + 1);
          await worker.count(batchOf(partition, round * BATCH_SIZE, events));
        }
      }),
    );
    expect(await readsOf('shared')).toEqual(expected);
    // All lock in one order; without it, every third batch meets a deadlock.
    expect(attempts.mock.calls.length).toBeLessThan(WORKERS * BATCHES * 1.2);
    attempts.mockRestore();
  });

  it('counts a batch once that several members of the group have, from the first one on', async () => {
    for (let offset = 0; offset < 50; offset += 10) {
      const events = Array.from({ length: 10 }, (_, i) => ({ Aid: i + 1, Uid: 0, Biz: 'owned' }));
      await Promise.all(workers.map((worker) => worker.count(batchOf(9, offset, events))));
    }
    expect([...(await readsOf('owned')).values()]).toEqual(Array(10).fill(5));
  });
});
