import { DomainError } from '../platform/errors';

/** A group's offsets can be changed from outside only while it has no members. */
export class GroupHasMembersError extends DomainError {
  constructor(group: string) {
    super(
      409,
      'GROUP_HAS_MEMBERS',
      `${group} has members: stop its instances first and wait 6 seconds`,
    );
  }
}
