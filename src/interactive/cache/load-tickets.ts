import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { RedisScript, type ScriptPipeline } from '../../platform/redis';

/** By key: identifies what the cache held when a load started. */
export type Tickets = ReadonlyMap<string, string>;

export const ticketScript = new RedisScript<string>(join(__dirname, 'lua/ticket.lua'));

/**
 * Takes the tickets of cached hashes. Call it before the read from MySQL whose result is to be cached.
 * @param ttlMs how long a hash stays that has nothing but its ticket
 */
export async function takeTickets(
  scripts: ScriptPipeline,
  keys: readonly string[],
  ttlMs: number,
): Promise<Tickets> {
  const ticket = randomBytes(6).toString('base64url');
  const answers = await scripts.run((pipeline) => {
    for (const key of keys) ticketScript.queue(pipeline, [key], [ticket, ttlMs]);
  });
  return new Map(keys.map((key, i) => [key, answers[i] as string]));
}
