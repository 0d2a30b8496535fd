import { Injectable } from '@nestjs/common';
import { ArticleNotFoundError, ArticleService } from '../../article';
import type { ObjectRef } from '../../platform/business-object';

/** Which objects may be liked and collected: every object, but of articles only published ones. */
@Injectable()
export class PublishedObjects {
  constructor(private readonly articles: ArticleService) {}

  /** @throws ArticleNotFoundError (404) for an article that readers cannot see */
  async require({ biz, bizId }: ObjectRef): Promise<void> {
    if (biz !== 'article') return;
    const published = await this.articles.isPublished([bizId]);
    if (!published.has(bizId)) throw new ArticleNotFoundError(bizId);
  }
}
