import { Redis } from 'ioredis';
import { type Environment, InvalidEnvironmentError } from '../config';
import { CHANNEL, type Right, rightsOf } from './redis-rights';

/**
 * Connects once, and finds out what the user is not allowed to do. Nothing is executed for that: the
 * commands are queued in a transaction that never ends, and Redis refuses what it would not permit.
 * @throws InvalidEnvironmentError that names the missing rights as ACL rules; the client's error when
 * Redis cannot be reached or refuses the login
 */
export async function checkRedis({
  REDIS_URL,
  MQ_ENGINE,
}: Pick<Environment, 'REDIS_URL' | 'MQ_ENGINE'>): Promise<void> {
  const redis = new Redis(REDIS_URL, { lazyConnect: true, retryStrategy: () => null });
  const subscriber = redis.duplicate();
  // connect() rejects with the same error.
  for (const connection of [redis, subscriber]) connection.on('error', () => undefined);
  try {
    await redis.connect();
    // Missing rights are found below, all at once.
    await redis.ping().catch((error: Error) => {
      if (!isRefusal(error)) throw error;
    });
    const missing = await missingRights(redis, rightsOf(MQ_ENGINE));
    missing.push(...(await refusal(subscriber.subscribe(CHANNEL.example), SUBSCRIBE)));
    if (missing.length > 0)
      throw new InvalidEnvironmentError(
        `REDIS_URL is set, but its user lacks: ${[...new Set(missing)].join(' ')} (docs/operating.md lists what it needs)`,
      );
  } finally {
    // Ends the transaction too.
    redis.disconnect();
    subscriber.disconnect();
  }
}

const SUBSCRIBE: Right = { name: 'subscribe', args: [], pattern: CHANNEL.pattern };

async function missingRights(redis: Redis, rights: readonly Right[]): Promise<string[]> {
  // Outside of a transaction the commands would be executed.
  const [multi] = await Promise.allSettled([redis.call('multi')]);
  if (multi.status === 'rejected') return refusal(Promise.reject(multi.reason as Error), MULTI);
  const refusals = rights.map((right) => {
    const [command, ...subcommand] = right.name.split('|');
    return refusal(redis.call(command!, ...subcommand, ...right.args), right);
  });
  return (await Promise.all(refusals)).flat();
}

const MULTI: Right = { name: 'multi', args: [] };

/** The rights whose lack is the reason of the answer; other errors, e.g. of a full memory, pass. */
async function refusal(answer: Promise<unknown>, { name, pattern }: Right): Promise<string[]> {
  try {
    await answer;
    return [];
  } catch (error) {
    const { message } = error as Error;
    if (!isRefusal(error as Error)) return [];
    if (/permissions? to run/.test(message) || pattern === undefined) return [`+${name}`];
    return [/channel/.test(message) ? `&${CHANNEL.pattern}` : `~${pattern}`];
  }
}

const isRefusal = ({ message }: Error): boolean => message.startsWith('NOPERM');
