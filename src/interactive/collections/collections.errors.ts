import { DomainError } from '../../platform/errors';

/** The user already has a folder of that name. */
export class CollectionNameTakenError extends DomainError {
  constructor(name: string) {
    super(409, 'COLLECTION_NAME_TAKEN', `you have a collection named ${JSON.stringify(name)}`);
  }
}
