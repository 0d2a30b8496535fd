import { DomainError } from '../platform/errors';

/** The article does not exist or the caller may not see it; the answer does not say which. */
export class ArticleNotFoundError extends DomainError {
  constructor(id: number) {
    super(404, 'ARTICLE_NOT_FOUND', `article ${id} does not exist`);
  }
}

/** Only an article that was published can be withdrawn. */
export class ArticleNotPublishedError extends DomainError {
  constructor(id: number) {
    super(409, 'ARTICLE_NOT_PUBLISHED', `article ${id} has never been published`);
  }
}
