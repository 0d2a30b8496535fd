import { Logger } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { RedisRoom } from './redis-room';

describe('RedisRoom', () => {
  const infoOf = (used: number, limit: number, policy = 'noeviction'): string =>
    `# Memory\r\nused_memory:${used}\r\nused_memory_peak:999\r\nmaxmemory:${limit}\r\nmaxmemory_policy:${policy}\r\n`;
  let answer: () => Promise<string>;
  const room = new RedisRoom({ info: () => answer() } as unknown as Redis);

  beforeAll(() => Logger.overrideLogger(false));

  async function after(info: string): Promise<boolean> {
    answer = async () => info;
    await room.look();
    return room.hasRoom;
  }

  it('leaves a quarter of a Redis without eviction to the event log', async () => {
    expect(await after(infoOf(74, 100))).toBe(true);
    expect(await after(infoOf(76, 100))).toBe(false);
    expect(await after(infoOf(74, 100))).toBe(true);
  });

  it('does not limit a Redis that evicts, or has no limit', async () => {
    expect(await after(infoOf(100, 100, 'allkeys-lru'))).toBe(true);
    expect(await after(infoOf(100, 0))).toBe(true);
  });

  it('keeps what it knew when Redis does not answer', async () => {
    await after(infoOf(100, 100));
    answer = () => Promise.reject(new Error('away'));
    await room.look();
    expect(room.hasRoom).toBe(false);
  });
});
