import { Injectable } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { InjectRedis } from '../../platform/redis';

/** HASH  place -> the last beat that was seen there, in milliseconds since the epoch */
const KEY = 'capture:seen';

/** The beats that all processes have seen, in Redis. */
@Injectable()
export class SeenBeatsCache {
  constructor(@InjectRedis() private readonly redis: Redis) {}

  /** Adds what this process has seen. @returns what all processes have seen, by place */
  async exchange(seen: ReadonlyMap<string, number>): Promise<Map<string, number>> {
    if (seen.size > 0) await this.redis.hset(KEY, new Map(seen));
    const all = await this.redis.hgetall(KEY);
    return new Map(Object.entries(all).map(([place, at]) => [place, Number(at)]));
  }
}
