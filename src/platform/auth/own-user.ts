import { ForbiddenError } from './auth.errors';

/** @throws ForbiddenError (403) when a body or query names a user other than the caller */
export function requireOwn(userId: number, caller: number): void {
  if (userId !== caller) throw new ForbiddenError(`user ${caller} may not act for user ${userId}`);
}
