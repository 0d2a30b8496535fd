import type { RowChange, RowImage } from '../cdc/row-change';
import { lastStates } from './row-state';

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
    executedAt: 0,
  };
}

describe('lastStates', () => {
  it('keeps the last state of each row, with the greatest version on the way to it', () => {
    const states = lastStates(
      [
        change(null, image(1, 5, 0)),
        change(null, image(2, 7, 0)),
        change(image(1, 5, 0), image(1, 6, 3)),
        change(image(2, 7, 4), null),
      ],
      'webook',
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

  it('follows a row that was replaced, whose version begins anew', () => {
    const states = lastStates(
      [change(image(1, 5, 7), null), change(null, image(1, 1, 0))],
      'webook',
    );
    expect(states).toMatchObject([{ id: 1, basis: 7, row: { like_cnt: 1, version: 0 } }]);
  });

  it('takes an update of the primary key for the end of one row and the beginning of another', () => {
    const states = lastStates([change(image(1, 5, 2), image(9, 5, 2))], 'webook');
    expect(states).toMatchObject([
      { id: 1, row: null, basis: 2 },
      { id: 9, row: { id: 9, like_cnt: 5 }, basis: 2 },
    ]);
  });

  it('needs no more of the old image than the columns that changed', () => {
    const states = lastStates([change({ like_cnt: '4' }, image(1, 5, 2))], 'webook');
    expect(states).toMatchObject([{ id: 1, row: { like_cnt: 5 }, basis: 2 }]);
  });

  it('treats a table without versions as one whose rows all have version 0', () => {
    expect(lastStates([change(null, image(1, 5))], 'webook')).toMatchObject([{ basis: 0 }]);
  });

  it('skips other tables and other databases', () => {
    const row = change(null, image(1, 5));
    expect(lastStates([{ ...row, table: 'likes' }], 'webook')).toEqual([]);
    expect(lastStates([row], 'other')).toEqual([]);
  });

  it('refuses a change without the columns that it counts on', () => {
    expect(() => lastStates([change(null, { id: '1' })], 'webook')).toThrow('biz_id');
  });
});
