import { Injectable, Logger } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { InjectRedis } from '@nestjs-modules/ioredis';
import type { Redis } from 'ioredis';
import { Gauge } from 'prom-client';

const LOOK_EVERY_MS = 1_000;
/** The share of `maxmemory` above which nothing more is cached. The rest is for the event log. */
const CACHE_SHARE = 0.75;

const memoryShare = new Gauge({
  name: 'webook_redis_memory_share',
  help: 'Used part of the maxmemory of Redis, 0 to 1; 0 without maxmemory',
});

/**
 * Whether Redis has room for what is only cached. A Redis without eviction refuses all writes when it is
 * full, also those of the event log, so caches must stop before.
 */
@Injectable()
export class RedisRoom {
  private readonly logger = new Logger(RedisRoom.name);
  private isFull = false;

  constructor(@InjectRedis() private readonly redis: Redis) {}

  get hasRoom(): boolean {
    return !this.isFull;
  }

  /** Keeps what it knew when Redis does not answer: nothing can be cached then anyway. */
  @Interval(LOOK_EVERY_MS)
  async look(): Promise<void> {
    try {
      this.update(await this.redis.info('memory'));
    } catch (error) {
      this.logger.debug(`The memory of Redis is unknown: ${String(error)}`);
    }
  }

  private update(info: string): void {
    const valueOf = (name: string): string =>
      new RegExp(`^${name}:(\\S+)`, 'm').exec(info)?.[1] ?? '';
    const limit = Number(valueOf('maxmemory'));
    const share = limit > 0 ? Number(valueOf('used_memory')) / limit : 0;
    memoryShare.set(share);
    const isFull = share > CACHE_SHARE && valueOf('maxmemory_policy') === 'noeviction';
    if (isFull && !this.isFull)
      this.logger.warn(
        `Redis uses ${Math.round(share * 100)} % of its maxmemory: nothing more is cached until that is below ${CACHE_SHARE * 100} %`,
      );
    this.isFull = isFull;
  }
}
