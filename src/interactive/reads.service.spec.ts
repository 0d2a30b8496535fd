import { sumOf } from './reads.service';

describe('sumOf', () => {
  it('counts what was read, of articles unless the event says otherwise', () => {
    expect(
      sumOf([
        { Aid: 1, Uid: 9 },
        { Aid: 1, Uid: 8 },
        { Aid: 9, Uid: 1 },
        { Aid: 1, Uid: 9, Biz: 'video' },
      ]),
    ).toEqual([
      { biz: 'article', bizId: 1, reads: 2 },
      { biz: 'article', bizId: 9, reads: 1 },
      { biz: 'video', bizId: 1, reads: 1 },
    ]);
  });
});
