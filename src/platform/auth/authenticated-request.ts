import type { FastifyRequest } from 'fastify';

/** A request after its guard; `userId` is null for an anonymous caller. */
export interface AuthenticatedRequest extends FastifyRequest {
  userId: number | null;
}
