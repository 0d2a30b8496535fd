import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** What may go into logs and headers as it came. */
const ACCEPTED = /^[\w.:-]{1,128}$/;

/** The id of a request: the caller's own `x-request-id` where it is harmless, else a fresh one. */
export function requestIdOf(request: IncomingMessage): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && ACCEPTED.test(given) ? given : randomUUID();
}
