import { Injectable } from '@nestjs/common';
import { Database, type HotStatement, type SqlRunner } from '../platform/database';
import { ArticleStatus } from './article-status';
import type { Article } from './entities/article.entity';

export type ArticleSummary = Omit<Article, 'content'>;

const SUMMARY = 'id, author_id AS authorId, title, status, ctime, utime';
const OWN = `SELECT ${SUMMARY}, content FROM articles WHERE id = ? AND author_id = ?`;
const LIST = `SELECT ${SUMMARY} FROM articles WHERE author_id = ?`;
const NEWEST_FIRST = 'ORDER BY id DESC LIMIT ?';

/** The authors' table, and the writes to the readers' table in the same transactions. */
@Injectable()
export class ArticleRepository {
  constructor(private readonly database: Database) {}

  /** @returns the new draft's id */
  async insert(authorId: number, title: string, content: string, now: number): Promise<number> {
    const { insertId } = await this.database.change(
      'INSERT INTO articles (author_id, title, content, status, ctime, utime) VALUES (?, ?, ?, ?, ?, ?)',
      [authorId, title, content, ArticleStatus.Draft, now, now],
    );
    return insertId;
  }

  /** @returns false when the author has no such article */
  async update(
    id: number,
    authorId: number,
    { title, content, utime }: Pick<Article, 'title' | 'content' | 'utime'>,
  ): Promise<boolean> {
    const { affectedRows } = await this.database.change(
      'UPDATE articles SET title = ?, content = ?, utime = ? WHERE id = ? AND author_id = ?',
      [title, content, utime, id, authorId],
    );
    // MySQL also reports no affected row when the values, including utime, are the same as before.
    return affectedRows > 0 || (await this.find(id, authorId)) !== null;
  }

  async find(id: number, authorId: number): Promise<Article | null> {
    const [article] = await this.database.rows<Article>(OWN, [id, authorId]);
    return article ?? null;
  }

  /** Newest first. @param before the last id of the previous page, null for the first page */
  list(authorId: number, before: number | null, limit: number): Promise<ArticleSummary[]> {
    return this.database.queryRows<ArticleSummary>(
      `${LIST}${before === null ? '' : ' AND id < ?'} ${NEWEST_FIRST}`,
      [authorId, ...(before === null ? [] : [before]), limit],
    );
  }

  /**
   * Runs `work` with the author's article, null when the author has no such article. The row is
   * locked, so that publishing, withdrawing and editing one article happen one after the other.
   */
  locked<T>(
    id: number,
    authorId: number,
    work: (article: Article | null, tx: SqlRunner) => Promise<T>,
  ): Promise<T> {
    return this.database.transaction(async (tx) => {
      const [article] = await tx.rows<Article>(`${OWN} FOR UPDATE`, [id, authorId]);
      return work(article ?? null, tx);
    });
  }

  async publish(article: Article, now: number, tx: SqlRunner): Promise<void> {
    const { id, authorId, title, content } = article;
    const status = ArticleStatus.Published;
    await this.setStatus('articles', id, status, now, tx);
    // Not ctime: an article that is published again keeps the time of its first publication.
    await tx.change(
      `INSERT INTO published_articles (id, author_id, title, content, status, ctime, utime)
       VALUES (?, ?, ?, ?, ?, ?, ?)
       ON DUPLICATE KEY UPDATE author_id = VALUES(author_id), title = VALUES(title),
         content = VALUES(content), status = VALUES(status), utime = VALUES(utime)`,
      [id, authorId, title, content, status, now, now],
    );
  }

  async wasPublished(id: number, tx: SqlRunner): Promise<boolean> {
    const rows = await tx.rows('SELECT id FROM published_articles WHERE id = ?', [id]);
    return rows.length > 0;
  }

  async withdraw(id: number, now: number, tx: SqlRunner): Promise<void> {
    for (const table of ['articles', 'published_articles'] as const)
      await this.setStatus(table, id, ArticleStatus.Withdrawn, now, tx);
  }

  private async setStatus(
    table: 'articles' | 'published_articles',
    id: number,
    status: ArticleStatus,
    now: number,
    tx: SqlRunner,
  ): Promise<void> {
    await tx.change(`UPDATE ${table} SET status = ?, utime = ? WHERE id = ?`, [status, now, id]);
  }
}

export const hotStatements: readonly HotStatement[] = [
  { name: "author's copy", sql: OWN, params: [42, 3] },
  { name: 'own articles, first page', sql: `${LIST} ${NEWEST_FIRST}`, params: [1, 21] },
  {
    name: 'own articles, next page',
    sql: `${LIST} AND id < ? ${NEWEST_FIRST}`,
    params: [1, 42, 21],
  },
];
