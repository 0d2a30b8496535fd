import { DomainError } from '../platform/errors';

export class UnknownBoardError extends DomainError {
  constructor(name: string) {
    super(404, 'BOARD_NOT_FOUND', `there is no board ${JSON.stringify(name)}`);
  }
}

export class NotRankedError extends DomainError {
  constructor(board: string, id: number) {
    super(404, 'NOT_RANKED', `${id} is not on board ${board}`);
  }
}
