import type { FastifyRequest } from 'fastify';

/** A request that a guard has looked at; `userId` is null for an anonymous one. */
export interface AuthenticatedRequest extends FastifyRequest {
  userId: number | null;
}
