export * from './check-redis';
export * from './hash-read-batch';
export * from './redis-breaker';
export * from './redis.module';
export * from './redis-room';
export * from './redis-script';
export * from './script-pipeline';
export { InjectRedis } from '@nestjs-modules/ioredis';
