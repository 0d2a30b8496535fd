import type { Redis } from 'ioredis';
import type { ObjectRef } from '../../platform/business-object';
import type { Scanned } from '../../platform/database';
import type { MarkKey } from '../model/mark';

/** Keys, of any kind, that one step of a scan passes. */
const SCAN_KEYS = 1_000;

/*
 * `interactive:{biz:id}` are an object's counters, `interactive:{biz:id}:mine:<uid>` a user's own marks
 * of it. The hash tag keeps both in one slot of a cluster.
 */
export const countersKey = ({ biz, bizId }: ObjectRef): string => `interactive:{${biz}:${bizId}}`;
export const marksKey = (mark: MarkKey): string => `${countersKey(mark)}:mine:${mark.uid}`;

const COUNTERS_KEY = /^interactive:\{([^:]+):(\d+)\}$/;
const MARKS_KEY = /^interactive:\{([^:]+):(\d+)\}:mine:(\d+)$/;

/** The objects whose counters Redis has something of; see `scan`. */
export const scanCountersKeys = (redis: Redis): AsyncGenerator<Scanned<ObjectRef>> =>
  scan(redis, 'interactive:{*}', (key) => {
    const [, biz, bizId] = COUNTERS_KEY.exec(key) ?? [];
    return biz === undefined ? undefined : { biz, bizId: Number(bizId) };
  });

/** The users and objects whose marks Redis has something of; see `scan`. */
export const scanMarksKeys = (redis: Redis): AsyncGenerator<Scanned<MarkKey>> =>
  scan(redis, 'interactive:{*}:mine:*', (key) => {
    const [, biz, bizId, uid] = MARKS_KEY.exec(key) ?? [];
    return biz === undefined ? undefined : { biz, bizId: Number(bizId), uid: Number(uid) };
  });

/** Keys that are written or expire meanwhile may be left out, and a key may be returned twice. */
async function* scan<Ref>(
  redis: Redis,
  pattern: string,
  refOf: (key: string) => Ref | undefined,
): AsyncGenerator<Scanned<Ref>> {
  const total = await redis.dbsize();
  let cursor = '0';
  let passed = 0;
  do {
    const [next, keys] = await redis.scan(cursor, 'MATCH', pattern, 'COUNT', SCAN_KEYS);
    cursor = next;
    passed += SCAN_KEYS;
    const items = keys.map(refOf).filter((item) => item !== undefined);
    yield { items, seen: items.length, share: cursor === '0' ? 1 : Math.min(1, passed / total) };
  } while (cursor !== '0');
}
