import { defineTopic } from '../messaging';

/** An object was read. Producers in other languages send the same JSON. */
export interface ArticleRead {
  /** The id of the object that was read: an article, unless `Biz` names another kind. */
  Aid: number;
  /** The reader; 0 when anonymous. */
  Uid: number;
  /** The kind of the object; `article` when absent. */
  Biz?: string;
}

const id = { type: 'integer', maximum: Number.MAX_SAFE_INTEGER };

/** Keyed by id: one partition has all reads of an object. Other properties are allowed. */
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
