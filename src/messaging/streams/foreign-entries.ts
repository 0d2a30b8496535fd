import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { RedisScript } from '../../platform/redis';
import { streamKeys } from './stream-keys';

/**
 * No entry stays at this offset or above: enough offsets are left above it, and JavaScript and Lua
 * count beyond it without an error. The clock in microseconds reaches it in 2112.
 */
export const OFFSET_LIMIT = 2 ** 52;

/** Entries that other programs have added to a partition's stream, with ids of their own. */
export class ForeignEntries {
  private readonly logger = new Logger('Streams');
  private readonly settleScript = new RedisScript<number>(join(__dirname, 'lua/settle.lua'));

  constructor(private readonly redis: Redis) {}

  /**
   * Moves the partition's end above such entries, so that what is appended gets higher offsets.
   * @returns whether there were any since the last call
   */
  async settle(topic: string, partition: number): Promise<boolean> {
    const { stream, next, gaps, rebuilt } = streamKeys(topic, partition);
    const keys = [stream, next, gaps, rebuilt];
    const found = (await this.settleScript.run(this.redis, keys, [OFFSET_LIMIT])) === 1;
    if (found)
      this.logger.warn(
        `Another program has added entries to ${stream}: the offsets up to theirs are left out`,
      );
    return found;
  }
}
