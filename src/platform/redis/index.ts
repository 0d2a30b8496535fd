export * from './redis.module';
export * from './redis-script';
export { InjectRedis } from '@nestjs-modules/ioredis';
