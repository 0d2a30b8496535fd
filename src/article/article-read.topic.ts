import { defineTopic } from '../messaging';

/** Somebody read something. Producers in other languages send the same JSON. */
export interface ArticleRead {
  /** The id of what was read: of an article, unless `Biz` says otherwise. */
  Aid: number;
  /** The reader; 0 when anonymous. */
  Uid: number;
  /** The kind of object read; `article` when absent. */
  Biz?: string;
}

const id = { type: 'integer', maximum: Number.MAX_SAFE_INTEGER };

/** Keyed by the object, so that one partition has all of its reads; further keys are let through. */
export const articleReadTopic = defineTopic<ArticleRead>({
  name: 'article_read_event',
  partitions: 3,
  acks: 'all',
  key: ({ Aid }) => String(Aid),
  schema: {
    type: 'object',
    required: ['Aid', 'Uid'],
    properties: {
      Aid: { ...id, minimum: 1 },
      Uid: { ...id, minimum: 0 },
      Biz: { type: 'string', pattern: '^[a-z][a-z0-9_-]{0,31}$' },
    },
  },
});
