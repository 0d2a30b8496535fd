import { Injectable } from '@nestjs/common';
import { FreshCache } from '../platform/fresh-cache';
import { type CursorQuery, decodeCursor, type Page, pageOf } from '../platform/http';
import { ArticleNotFoundError, ArticleNotPublishedError } from './article.errors';
import { ArticleRepository, type ArticleSummary } from './article.repository';
import type { ArticleText } from './dto/article-text';
import type { Article } from './entities/article.entity';
import { type PublishedCopy, PublishedArticleRepository } from './published-article.repository';

/** Milliseconds within which an instance sees what another one published or withdrew. */
const FRESH_FOR = 1_000;

/** What the cursors of an author's list are bound to. */
const LIST = 'articles';

/** What authors do with their articles, and what readers see of them. */
@Injectable()
export class ArticleService {
  private readonly copies = new FreshCache<number, PublishedCopy | null>({
    ttlMs: FRESH_FOR,
    max: 100,
  });
  private readonly visible = new FreshCache<number, boolean>({ ttlMs: FRESH_FOR, max: 100_000 });

  constructor(
    private readonly articles: ArticleRepository,
    private readonly published: PublishedArticleRepository,
  ) {}

  /** @returns the new draft's id */
  create(authorId: number, { title, content }: ArticleText): Promise<number> {
    return this.articles.insert(authorId, title, content, Date.now());
  }

  /** Changes the author's copy; readers keep what was published until it is published again. */
  async edit(id: number, authorId: number, { title, content }: ArticleText): Promise<void> {
    const found = await this.articles.update(id, authorId, { title, content, utime: Date.now() });
    if (!found) throw new ArticleNotFoundError(id);
  }

  /** Gives readers the author's copy as it is now, whether they had one before or not. */
  async publish(id: number, authorId: number): Promise<void> {
    await this.articles.locked(id, authorId, async (article, tx) => {
      if (!article) throw new ArticleNotFoundError(id);
      await this.articles.publish(article, Date.now(), tx);
    });
    this.forget(id);
  }

  /** Takes the article from readers; again changes nothing. */
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

  /** The readers' copy. @throws ArticleNotFoundError (404) also when it was withdrawn */
  async read(id: number): Promise<PublishedCopy> {
    const copy = await this.copies.get(id, () => this.published.find(id));
    if (!copy) throw new ArticleNotFoundError(id);
    return copy;
  }

  /**
   * Those of the ids that readers can see: what this instance published or withdrew counts at once,
   * what another one did within a second.
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
