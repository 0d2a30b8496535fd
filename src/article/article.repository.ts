import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type EntityManager, LessThan, Repository } from 'typeorm';
import { ArticleStatus } from './article-status';
import { Article } from './entities/article.entity';
import { PublishedArticle } from './entities/published-article.entity';

export type ArticleSummary = Omit<Article, 'content'>;

/** The authors' table, and the steps into the readers' table that share a transaction with it. */
@Injectable()
export class ArticleRepository {
  constructor(@InjectRepository(Article) private readonly articles: Repository<Article>) {}

  /** @returns the new draft's id */
  async insert(authorId: number, title: string, content: string, now: number): Promise<number> {
    const draft = { authorId, title, content, status: ArticleStatus.Draft, ctime: now, utime: now };
    const { identifiers } = await this.articles.insert(draft);
    return Number(identifiers[0]?.id);
  }

  /** @returns false when the author has no such article */
  async update(
    id: number,
    authorId: number,
    change: Pick<Article, 'title' | 'content' | 'utime'>,
  ): Promise<boolean> {
    const { affected } = await this.articles.update({ id, authorId }, change);
    return affected === 1;
  }

  find(id: number, authorId: number): Promise<Article | null> {
    return this.articles.findOneBy({ id, authorId });
  }

  /** Newest first. @param before the id behind which the page begins, null for the first page */
  list(authorId: number, before: number | null, limit: number): Promise<ArticleSummary[]> {
    return this.articles.find({
      select: { id: true, authorId: true, title: true, status: true, ctime: true, utime: true },
      where: { authorId, ...(before === null ? {} : { id: LessThan(before) }) },
      order: { id: 'DESC' },
      take: limit,
    });
  }

  /**
   * Gives `work` the author's article with its row locked, so that publishing, withdrawing and
   * editing one article happen one after the other. Null when the author has no such article.
   */
  locked<T>(
    id: number,
    authorId: number,
    work: (article: Article | null, manager: EntityManager) => Promise<T>,
  ): Promise<T> {
    return this.articles.manager.transaction('READ COMMITTED', async (manager) =>
      work(
        await manager.findOne(Article, {
          where: { id, authorId },
          lock: { mode: 'pessimistic_write' },
        }),
        manager,
      ),
    );
  }

  async publish(article: Article, now: number, manager: EntityManager): Promise<void> {
    const { id, authorId, title, content } = article;
    const status = ArticleStatus.Published;
    await manager.update(Article, { id }, { status, utime: now });
    await manager
      .createQueryBuilder()
      .insert()
      .into(PublishedArticle)
      .values({ id, authorId, title, content, status, ctime: now, utime: now })
      // Not ctime: an article that is published again keeps the day it first came out.
      .orUpdate(['author_id', 'title', 'content', 'status', 'utime'])
      .execute();
  }

  wasPublished(id: number, manager: EntityManager): Promise<boolean> {
    return manager.existsBy(PublishedArticle, { id });
  }

  async withdraw(id: number, now: number, manager: EntityManager): Promise<void> {
    const change = { status: ArticleStatus.Withdrawn, utime: now };
    await manager.update(Article, { id }, change);
    await manager.update(PublishedArticle, { id }, change);
  }
}
