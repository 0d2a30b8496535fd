import { Global, Module } from '@nestjs/common';
import { InjectRedis, RedisModule as NestRedisModule } from '@nestjs-modules/ioredis';
import type { Redis } from 'ioredis';
import { Environment } from '../config';
import { HealthRegistry } from '../health';
import { HashReadBatch } from './hash-read-batch';
import { RedisRoom } from './redis-room';

/** One shared ioredis connection; inject it with `@InjectRedis()`. Blocking readers duplicate it. */
@Global()
@Module({
  imports: [
    NestRedisModule.forRootAsync({
      imports: [],
      inject: [Environment],
      useFactory: (environment: Environment) => ({
        type: 'single',
        url: environment.REDIS_URL,
        options: {
          // Requests fail at once while Redis is away (503); the connection itself keeps trying.
          maxRetriesPerRequest: 1,
          enableOfflineQueue: true,
          connectTimeout: 3_000,
          // A Redis that hangs must not hang its callers. Nothing blocking runs on this connection.
          commandTimeout: 5_000,
          retryStrategy: (attempt: number) => Math.min(attempt * 100, 1_000),
        },
      }),
    }),
  ],
  providers: [HashReadBatch, RedisRoom],
  exports: [NestRedisModule, HashReadBatch, RedisRoom],
})
export class RedisModule {
  constructor(health: HealthRegistry, @InjectRedis() redis: Redis) {
    // Each failing command throws; without this listener ioredis also prints each attempt.
    redis.on('error', () => undefined);
    health.add('redis', async () => {
      await redis.ping();
    });
  }
}
