import { byObject, keyOfObject } from './object-ref';

describe('keyOfObject', () => {
  it('differs by kind and by id', () => {
    expect(keyOfObject({ biz: 'article', bizId: 42 })).toBe('article:42');
    expect(keyOfObject({ biz: 'article', bizId: 43 })).toBe('article:43');
    expect(keyOfObject({ biz: 'comment', bizId: 42 })).toBe('comment:42');
  });
});

describe('byObject', () => {
  it('orders by id as a number, then by the bytes of the kind', () => {
    const sorted = [
      { biz: 'b', bizId: 2 },
      { biz: 'a', bizId: 10 },
      { biz: 'a_', bizId: 10 },
      { biz: 'aa', bizId: 10 },
      { biz: 'b', bizId: 10 },
      { biz: 'a', bizId: Number.MAX_SAFE_INTEGER },
    ];
    expect(sorted.toReversed().sort(byObject)).toEqual(sorted);
  });

  it('is 0 for the same object', () => {
    expect(byObject({ biz: 'a', bizId: 1 }, { biz: 'a', bizId: 1 })).toBe(0);
  });
});
