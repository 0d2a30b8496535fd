import type { Environment } from '../config';

/** A command that the program runs, itself or in a script, and arguments that show the right to it. */
export interface Right {
  /** As in an ACL rule, e.g. `script|load`. */
  readonly name: string;
  readonly args: readonly (string | number)[];
  /** Of the keys that it is run on. */
  readonly pattern?: string;
}

const CACHE = { pattern: 'interactive:*', key: 'interactive:{right:0}' };
const BEATS = { pattern: 'capture:*', key: 'capture:seen' };
const BOARD = { pattern: 'ranking:*', key: 'ranking:{right}:meta' };
const LOG = { pattern: 'mq:*', key: 'mq:{right:0}' };
export const CHANNEL = { pattern: 'ranking:*', example: 'ranking:{right}:changes' };

const on =
  ({ pattern, key }: { pattern: string; key: string }) =>
  (name: string, ...rest: (string | number)[]): Right => ({ name, args: [key, ...rest], pattern });
const plain = (name: string, ...args: (string | number)[]): Right => ({ name, args });

const cache = on(CACHE);
const beats = on(BEATS);
const board = on(BOARD);
const log = on(LOG);

const ALWAYS: readonly Right[] = [
  plain('ping'),
  plain('select', 0),
  plain('info', 'server'),
  plain('script|load', 'return 1'),
  plain('time'),
  plain('dbsize'),
  plain('scan', 0),
  { name: 'eval', args: ['return 1', 1, CACHE.key], pattern: CACHE.pattern },
  { name: 'evalsha', args: ['0'.repeat(40), 1, BOARD.key], pattern: BOARD.pattern },
  cache('del'),
  cache('hmget', 'field'),
  cache('hset', 'field', 0),
  cache('hget', 'field'),
  cache('hdel', 'field'),
  cache('hincrby', 'field', 1),
  cache('pexpire', 1),
  cache('pttl'),
  beats('hset', 'field', 0),
  beats('hgetall'),
  board('get'),
  board('set', 0),
  board('exists'),
  board('hexists', 'field'),
  board('hgetall'),
  board('hkeys'),
  board('hvals'),
  board('hsetnx', 'field', 0),
  board('zadd', 0, 'member'),
  board('zcard'),
  board('zpopmin'),
  board('zrem', 'member'),
  board('zrangebyscore', 0, 0),
  { name: 'publish', args: [CHANNEL.example, ''], pattern: CHANNEL.pattern },
];

const FOR_THE_LOG: readonly Right[] = [
  plain('exec'),
  log('get'),
  log('set', 0),
  log('rename', LOG.key),
  log('xadd', '*', 'field', 0),
  log('xlen'),
  log('xtrim', 'MINID', 0),
  log('xrange', '-', '+'),
  log('xrevrange', '+', '-'),
  { name: 'xread', args: ['STREAMS', LOG.key, '0-0'], pattern: LOG.pattern },
  log('xinfo|stream'),
  log('memory|usage'),
  log('zcount', 0, 0),
  log('zrange', 0, 0),
  log('zremrangebyscore', 0, 0),
];

/** What the program must be allowed to do in Redis, besides `multi` and `subscribe`. */
export function rightsOf(engine: Environment['MQ_ENGINE']): readonly Right[] {
  return engine === 'streams' ? [...ALWAYS, ...FOR_THE_LOG] : ALWAYS;
}
