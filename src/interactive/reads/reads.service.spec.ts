import { sumOf } from './reads.service';

describe('sumOf', () => {
  it('counts the reads of each object, an article unless the event names another kind', () => {
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
