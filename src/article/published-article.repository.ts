import { Injectable } from '@nestjs/common';
import { Database, type HotStatement } from '../platform/database';
import { ArticleStatus } from './article-status';

/** An article as readers see it; `publishedAt` in milliseconds since the epoch. */
export interface PublishedCopy {
  id: number;
  title: string;
  content: string;
  authorId: number;
  publishedAt: number;
}

const FIND_PUBLISHED = `
  SELECT id, title, content, author_id AS authorId, ctime AS publishedAt
  FROM published_articles
  WHERE id = ? AND status <> ${ArticleStatus.Withdrawn}`;

const PUBLISHED_IDS = `
  SELECT id FROM published_articles
  WHERE id IN (?) AND status <> ${ArticleStatus.Withdrawn}`;

/** The readers' table. */
@Injectable()
export class PublishedArticleRepository {
  constructor(private readonly database: Database) {}

  async find(id: number): Promise<PublishedCopy | null> {
    const [row] = await this.database.rows<PublishedCopy>(FIND_PUBLISHED, [id]);
    if (!row) return null;
    // Another program may write numbers beyond 2^53, which the driver returns as text.
    return { ...row, authorId: Number(row.authorId), publishedAt: Number(row.publishedAt) };
  }

  /** Those of the ids that readers can see. */
  async publishedOf(ids: readonly number[]): Promise<Set<number>> {
    const rows = await this.database.queryRows<{ id: number }>(PUBLISHED_IDS, [ids]);
    return new Set(rows.map(({ id }) => id));
  }
}

export const hotStatements: readonly HotStatement[] = [
  { name: 'published article', sql: FIND_PUBLISHED, params: [42] },
  { name: 'which articles are published', sql: PUBLISHED_IDS, params: [[42, 43]] },
];
