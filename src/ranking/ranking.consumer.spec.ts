import { CaptureGaps, ChangeFeed, type RowChange, SeenBeats } from '../cdc';
import type { Environment } from '../platform/config';
import type { Database } from '../platform/database';
import type { ApplyRequest, BoardSnapshot, RankingCache } from './ranking.cache';
import { RankingConsumer } from './ranking.consumer';
import type { RankingRepository } from './ranking.repository';
import { RankingService } from './ranking.service';

const SNAPSHOT: BoardSnapshot = {
  epoch: '1',
  seq: 1,
  loaded: true,
  content: { rows: [], floor: null, open: false, capacity: 60 },
  nextOffsets: new Map(),
};

function insertInto(database: string, id: number): RowChange {
  const after = {
    id: String(id),
    biz_id: '1',
    biz: 'et',
    read_cnt: '1',
    like_cnt: '1',
    collect_cnt: '1',
  };
  return {
    database,
    table: 'interactives',
    kind: 'insert',
    before: null,
    after,
    position: null,
    ordinal: 0,
    executedAt: 0,
  };
}

describe('RankingConsumer', () => {
  let applied: ApplyRequest[];

  async function consume(offset: number, ...value: RowChange[]): Promise<void> {
    applied = [];
    const cache = {
      snapshot: async () => SNAPSHOT,
      apply: async (_board: string, request: ApplyRequest) => {
        applied.push(request);
        return { outcome: 'applied', message: '' };
      },
    };
    const service = new RankingService(
      { RANKING_SIZE: 10 } as Environment,
      cache as unknown as RankingCache,
      {} as RankingRepository,
    );
    const database = { schema: async () => 'webook' } as Database;
    const feed = new ChangeFeed(database, new CaptureGaps(), new SeenBeats());
    const consumer = new RankingConsumer(service, feed);
    const message = { key: null, value, partition: 0, offset, timestamp: 0 };
    await consumer.onChanges({ partition: 0, messages: [message] } as never);
  }

  it('takes the changes of its own schema only', async () => {
    await consume(0, insertInto('webook', 1), insertInto('other', 2));
    expect(applied.map(({ states }) => states.map(({ id }) => id))).toEqual([[1], [1], [1]]);
  });

  it('notes the offset also of a batch without changes of the boards', async () => {
    await consume(7, insertInto('other', 2));
    expect(applied).toEqual(
      Array(3).fill(expect.objectContaining({ partition: 0, nextOffset: 8, states: [] })),
    );
  });
});
