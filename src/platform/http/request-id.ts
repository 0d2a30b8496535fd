import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** Safe to copy unchanged into logs and headers. */
const ACCEPTED = /^[\w.:-]{1,128}$/;

/** The id of a request: the caller's `x-request-id` if it is safe, otherwise a new one. */
export function requestIdOf(request: IncomingMessage): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && ACCEPTED.test(given) ? given : randomUUID();
}
