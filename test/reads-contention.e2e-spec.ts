import type { ArticleRead } from '../src/article';
import { CountersRepository } from '../src/interactive/counters/counters.repository';
import { ReadsService } from '../src/interactive/reads/reads.service';
import { type MessageBatch, OffsetFence } from '../src/messaging';
import { Environment } from '../src/platform/config';
import { Database, Migrator } from '../src/platform/database';
import { below, isolatedStack, Sql } from './support';

const WORKERS = 6;
const BATCHES = 20;
const BATCH_SIZE = 1_000;
/** Objects of one round, shared by the batches of all workers. */
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
    // As in separate processes.
    databases = Array.from({ length: WORKERS }, () => new Database(environment));
    workers = databases.map(
      (each) => new ReadsService(new OffsetFence(each), new CountersRepository(each)),
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

  it('are counted exactly, without a failed batch and with few repeated ones', async () => {
    const attempts = jest.spyOn(CountersRepository.prototype, 'addReads');
    const expected = new Map<number, number>();
    await Promise.all(
      workers.map(async (worker, partition) => {
        for (let round = 0; round < BATCHES; round++) {
          // Half of the objects are new in each round, and each batch has a random order.
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
    // All batches lock in the same order; without it, every third one has a deadlock.
    expect(attempts.mock.calls.length).toBeLessThan(WORKERS * BATCHES * 1.2);
    attempts.mockRestore();
  });

  it('are counted once when several members handle the same batch, also the first batch of a partition', async () => {
    for (let offset = 0; offset < 50; offset += 10) {
      const events = Array.from({ length: 10 }, (_, i) => ({ Aid: i + 1, Uid: 0, Biz: 'owned' }));
      await Promise.all(workers.map((worker) => worker.count(batchOf(9, offset, events))));
    }
    expect([...(await readsOf('owned')).values()]).toEqual(Array(10).fill(5));
  });
});
