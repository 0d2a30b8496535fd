import { DomainError } from '../platform/errors';

/** The folder does not exist, is being deleted, or belongs to somebody else. */
export class CollectionNotFoundError extends DomainError {
  constructor(id: number) {
    super(404, 'COLLECTION_NOT_FOUND', `you have no collection ${id}`);
  }
}

/** The user has a folder of that name already. */
export class CollectionNameTakenError extends DomainError {
  constructor(name: string) {
    super(409, 'COLLECTION_NAME_TAKEN', `you have a collection named ${JSON.stringify(name)}`);
  }
}
