import { Injectable, Logger, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { InjectRedis } from '../platform/redis';
import { RankingCache } from './ranking.cache';
import { RankingService } from './ranking.service';

/** Milliseconds after which following the boards is tried again on a connection that stayed. */
const RETRY_AFTER = 1_000;

/** Keeps this process's copies of the boards in step with Redis, over a connection of its own. */
@Injectable()
export class RankingSubscriber implements OnModuleInit, OnModuleDestroy {
  private readonly logger = new Logger(RankingSubscriber.name);
  private readonly connection: Redis;
  private retry: NodeJS.Timeout | undefined;
  private isStopping = false;

  constructor(
    @InjectRedis() redis: Redis,
    private readonly cache: RankingCache,
    private readonly ranking: RankingService,
  ) {
    this.connection = redis.duplicate({
      lazyConnect: true,
      maxRetriesPerRequest: null,
      // Subscribing is ours to do, since reading the boards must come after it.
      autoResubscribe: false,
      // A connection that died silently is noticed.
      keepAlive: 5_000,
    });
  }

  onModuleInit(): void {
    const { boards } = this.ranking;
    const byChannel = new Map(
      boards.map((board) => [this.cache.channelOf(board.definition.name), board]),
    );
    this.connection.on('message', (channel: string, message: string) =>
      byChannel.get(channel)?.replica.receive(message),
    );
    this.connection.on('error', (error) => this.logger.debug(`Redis: ${error.message}`));
    this.connection.on('ready', () => void this.follow([...byChannel.keys()]));
    this.connection.connect().catch(() => undefined);
  }

  onModuleDestroy(): void {
    this.isStopping = true;
    clearTimeout(this.retry);
    this.connection.disconnect();
    for (const { replica } of this.ranking.boards) replica.close();
  }

  /** Subscribes first and reads then: what is published between the two is kept until it is read. */
  private async follow(channels: string[]): Promise<void> {
    clearTimeout(this.retry);
    try {
      await this.connection.subscribe(...channels);
      await Promise.all(this.ranking.boards.map(({ replica }) => replica.resync()));
    } catch (error) {
      if (this.isStopping) return;
      this.logger.warn(`The boards are not followed yet: ${String(error)}`);
      // Otherwise it was lost again, and the next connection comes back here.
      if (this.connection.status === 'ready')
        this.retry = setTimeout(() => void this.follow(channels), RETRY_AFTER);
    }
  }
}
