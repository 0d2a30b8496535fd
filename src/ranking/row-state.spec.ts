import { CaptureGaps, ChangeFeed, type RowChange, type RowImage, SeenBeats } from '../cdc';
import { interactivesReader } from '../interactive';
import type { Database } from '../platform/database';
import { lastStates, type RowState } from './row-state';

function image(id: number, likes: number, version?: number): RowImage {
  return {
    id: String(id),
    biz_id: '11',
    biz: 'et',
    read_cnt: '1',
    like_cnt: String(likes),
    collect_cnt: '2',
    ...(version === undefined ? {} : { version: String(version) }),
  };
}

function change(before: RowImage | null, after: RowImage | null): RowChange {
  const kind = before === null ? 'insert' : after === null ? 'delete' : 'update';
  return {
    database: 'webook',
    table: 'interactives',
    kind,
    before,
    after,
    position: null,
    ordinal: 0,
    executedAt: 0,
  };
}

/** As the change feed gives the changes, to a program whose schema is `webook`. */
async function statesOf(...value: RowChange[]): Promise<RowState[]> {
  const feed = new ChangeFeed(
    { schema: async () => 'webook' } as Database,
    new CaptureGaps(),
    new SeenBeats(),
  );
  const message = { key: null, value, partition: 0, offset: 0, timestamp: 0 };
  const batch = { topic: 't', group: 'g', partition: 0, logId: 'l', messages: [message] };
  let states: RowState[] = [];
  await feed.handle(batch, interactivesReader, async (changes) => {
    states = lastStates(changes);
  });
  return states;
}

describe('lastStates', () => {
  it('keeps the last state of each row, with the greatest version of its changes', async () => {
    const states = await statesOf(
      change(null, image(1, 5, 0)),
      change(null, image(2, 7, 0)),
      change(image(1, 5, 0), image(1, 6, 3)),
      change(image(2, 7, 4), null),
    );
    expect(states).toEqual([
      {
        id: 1,
        basis: 3,
        row: {
          id: 1,
          biz_id: 11,
          biz: 'et',
          read_cnt: 1,
          like_cnt: 6,
          collect_cnt: 2,
          version: 3,
        },
      },
      { id: 2, basis: 4, row: null },
    ]);
  });

  it('follows a row that was deleted and inserted again, whose version starts over', async () => {
    const states = await statesOf(change(image(1, 5, 7), null), change(null, image(1, 1, 0)));
    expect(states).toMatchObject([{ id: 1, basis: 7, row: { like_cnt: 1, version: 0 } }]);
  });

  it('takes an update of the primary key for the end of one row and the beginning of another', async () => {
    const states = await statesOf(change(image(1, 5, 2), image(9, 5, 2)));
    expect(states).toMatchObject([
      { id: 1, row: null, basis: 2 },
      { id: 9, row: { id: 9, like_cnt: 5 }, basis: 2 },
    ]);
  });

  it('needs no more of the old image than the columns that changed', async () => {
    const states = await statesOf(change({ like_cnt: '4' }, image(1, 5, 2)));
    expect(states).toMatchObject([{ id: 1, row: { like_cnt: 5 }, basis: 2 }]);
  });

  it('takes 0 for the version of rows in a table without versions', async () => {
    expect(await statesOf(change(null, image(1, 5)))).toMatchObject([{ basis: 0 }]);
  });

  it('skips other tables and other databases', async () => {
    const row = change(null, image(1, 5));
    expect(await statesOf({ ...row, table: 'likes' })).toEqual([]);
    expect(await statesOf({ ...row, database: 'other' })).toEqual([]);
  });

  it('leaves out a change without the columns that it needs', async () => {
    const states = await statesOf(change(null, { id: '1' }), change(null, image(2, 7, 0)));
    expect(states.map(({ id }) => id)).toEqual([2]);
  });
});
