import type { ArticleRead } from '../article';
import type { Message } from '../messaging';
import { latestOf } from './history.service';

const NOW = 1_000;
const read = (timestamp: number, value: ArticleRead): Message<ArticleRead> => ({
  key: null,
  value,
  partition: 0,
  offset: 0,
  timestamp,
});

describe('latestOf', () => {
  it('keeps the latest reading of each user and object, and none of anonymous readers', () => {
    expect(
      latestOf(
        [
          read(2, { Aid: 1, Uid: 9 }),
          read(3, { Aid: 1, Uid: 9 }),
          read(1, { Aid: 1, Uid: 9 }),
          read(4, { Aid: 1, Uid: 8, Biz: 'video' }),
          read(5, { Aid: 1, Uid: 0 }),
        ],
        NOW,
      ),
    ).toEqual([
      { uid: 9, biz: 'article', bizId: 1, readAt: 3 },
      { uid: 8, biz: 'video', bizId: 1, readAt: 4 },
    ]);
  });

  it('counts a reading with a future time as one of now', () => {
    const [reading] = latestOf([read(NOW + 86_400_000, { Aid: 1, Uid: 9 })], NOW);
    expect(reading?.readAt).toBe(NOW);
  });
});
