import { DomainError } from '../platform/errors';

/** Where a group stands can be changed from outside only while nobody belongs to it. */
export class GroupHasMembersError extends DomainError {
  constructor(group: string) {
    super(
      409,
      'GROUP_HAS_MEMBERS',
      `${group} has members: stop them first, and give them 6 seconds`,
    );
  }
}
