import { DomainError } from '../platform/errors';

/** There is no such article, or none that the caller may see: which of them is not told. */
export class ArticleNotFoundError extends DomainError {
  constructor(id: number) {
    super(404, 'ARTICLE_NOT_FOUND', `article ${id} does not exist`);
  }
}

/** Only what readers can see can be taken from them. */
export class ArticleNotPublishedError extends DomainError {
  constructor(id: number) {
    super(409, 'ARTICLE_NOT_PUBLISHED', `article ${id} has never been published`);
  }
}
