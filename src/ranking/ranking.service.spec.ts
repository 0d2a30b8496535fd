import type { RowChange } from '../cdc/row-change';
import type { Environment } from '../platform/config';
import { RankingService } from './ranking.service';
import type { ApplyRequest, BoardSnapshot, RankingCache } from './ranking.cache';
import type { RankingRepository } from './ranking.repository';

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
  const table = 'interactives';
  return { database, table, kind: 'insert', before: null, after, position: null, executedAt: 0 };
}

describe('RankingService', () => {
  it('takes the changes of its own schema only', async () => {
    const applied: number[][] = [];
    const cache = {
      snapshot: async () => SNAPSHOT,
      apply: async (_board: string, { states }: ApplyRequest) => {
        applied.push(states.map(({ id }) => id));
        return { outcome: 'applied', message: '' };
      },
    };
    const service = new RankingService(
      { RANKING_SIZE: 10 } as Environment,
      cache as unknown as RankingCache,
      {} as RankingRepository,
    );
    const value = [insertInto('webook', 1), insertInto('other', 2)];
    const message = { key: null, value, partition: 0, offset: 0, timestamp: 0 };
    await service.apply({ partition: 0, messages: [message] } as never, 'webook');
    expect(applied).toEqual([[1], [1], [1]]);
  });
});
