import { EventEmitter, once } from 'node:events';
import { Logger } from '@nestjs/common';
import type { Redis } from 'ioredis';
import type { RankingCache } from './ranking.cache';
import type { RankingService } from './ranking.service';
import { RankingSubscriber } from './ranking.subscriber';

/** A connection on which the first attempt to subscribe fails, while the connection stays. */
class FakeConnection extends EventEmitter {
  readonly status = 'ready';
  private attempts = 0;

  duplicate(): this {
    return this;
  }

  async connect(): Promise<void> {
    this.emit('ready');
  }

  async subscribe(...channels: string[]): Promise<void> {
    if (++this.attempts === 1) throw new Error('NOPERM');
    this.emit('subscribed', channels);
  }

  disconnect(): void {
    this.removeAllListeners();
  }
}

describe('RankingSubscriber', () => {
  it('subscribes again after a failure on a connection that stayed, and then reads the boards', async () => {
    Logger.overrideLogger(false);
    const connection = new FakeConnection();
    const replica = new EventEmitter();
    const board = {
      definition: { name: 'likes' },
      replica: { resync: () => Promise.resolve(replica.emit('read')), close: () => undefined },
    };
    const subscriber = new RankingSubscriber(
      connection as unknown as Redis,
      { channelOf: (name: string) => `changes of ${name}` } as unknown as RankingCache,
      { boards: [board] } as unknown as RankingService,
    );
    const read = once(replica, 'read');
    const subscribed = once(connection, 'subscribed');
    subscriber.onModuleInit();
    expect(await subscribed).toEqual([['changes of likes']]);
    await read;
    subscriber.onModuleDestroy();
  });
});
