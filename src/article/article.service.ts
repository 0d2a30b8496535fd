import { Injectable } from '@nestjs/common';
import { type CursorQuery, decodeCursor, type Page, pageOf } from '../platform/http';
import { FreshCache } from '../platform/loading';
import { ArticleNotFoundError, ArticleNotPublishedError } from './article.errors';
import { ArticleRepository, type ArticleSummary } from './article.repository';
import type { ArticleText } from './dto/article-text';
import type { Article } from './entities/article.entity';
import { type PublishedCopy, PublishedArticleRepository } from './published-article.repository';

/** An instance sees what another instance published or withdrew within this time. */
const FRESH_FOR_MS = 1_000;

/** A cursor is valid only for the list that it names. */
const LIST = 'articles';

/** Authors' articles, and the published copies that readers see. */
@Injectable()
export class ArticleService {
  private readonly copies = new FreshCache<number, PublishedCopy | null>({
    ttlMs: FRESH_FOR_MS,
    max: 100,
  });
  private readonly visible = new FreshCache<number, boolean>({ ttlMs: FRESH_FOR_MS, max: 100_000 });

  constructor(
    private readonly articles: ArticleRepository,
    private readonly published: PublishedArticleRepository,
  ) {}

  /** @returns the new draft's id */
  create(authorId: number, { title, content }: ArticleText): Promise<number> {
    return this.articles.insert(authorId, title, content, Date.now());
  }

  /** Changes the author's copy. Readers see the change when the article is published again. */
  async edit(id: number, authorId: number, { title, content }: ArticleText): Promise<void> {
    const found = await this.articles.update(id, authorId, { title, content, utime: Date.now() });
    if (!found) throw new ArticleNotFoundError(id);
  }

  /** Makes the author's current copy visible to readers, for the first time or again. */
  async publish(id: number, authorId: number): Promise<void> {
    await this.articles.locked(id, authorId, async (article, tx) => {
      if (!article) throw new ArticleNotFoundError(id);
      await this.articles.publish(article, Date.now(), tx);
    });
    this.forget(id);
  }

  /** Makes the article invisible to readers. Withdrawing it again changes nothing. */
  async withdraw(id: number, authorId: number): Promise<void> {
    await this.articles.locked(id, authorId, async (article, tx) => {
      if (!article) throw new ArticleNotFoundError(id);
      if (!(await this.articles.wasPublished(id, tx))) throw new ArticleNotPublishedError(id);
      await this.articles.withdraw(id, Date.now(), tx);
    });
    this.forget(id);
  }

  async own(id: number, authorId: number): Promise<Article> {
    const article = await this.articles.find(id, authorId);
    if (!article) throw new ArticleNotFoundError(id);
    return article;
  }

  async listOwn(authorId: number, query: CursorQuery): Promise<Page<ArticleSummary>> {
    const [before] = decodeCursor(LIST, query.cursor, ['number']) ?? [null];
    const rows = await this.articles.list(authorId, before, query.limit + 1);
    return pageOf(
      LIST,
      rows,
      query.limit,
      ({ id }) => [id],
      (row) => row,
    );
  }

  /** The published copy. @throws ArticleNotFoundError (404), also when it was withdrawn */
  async read(id: number): Promise<PublishedCopy> {
    const copy = await this.copies.get(id, () => this.published.find(id));
    if (!copy) throw new ArticleNotFoundError(id);
    return copy;
  }

  /**
   * Those of the ids that readers can see. Publishing and withdrawing takes effect at once on the
   * same instance, within a second on others.
   */
  async isPublished(ids: readonly number[]): Promise<Set<number>> {
    const known = await this.visible.getMany(ids, async (missing) => {
      const found = await this.published.publishedOf(missing);
      return new Map(missing.map((id) => [id, found.has(id)]));
    });
    return new Set(ids.filter((id) => known.get(id)));
  }

  private forget(id: number): void {
    this.copies.forget(id);
    this.visible.forget(id);
  }
}
