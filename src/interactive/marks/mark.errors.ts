import { DomainError } from '../../platform/errors';

/** The folder does not exist, is being deleted, or belongs to another user. */
export class CollectionNotFoundError extends DomainError {
  constructor(id: number) {
    super(404, 'COLLECTION_NOT_FOUND', `you have no collection ${id}`);
  }
}
