import { Injectable, Logger, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { InjectRedis } from '../platform/redis';
import { RankingCache } from './ranking.cache';
import { RankingService } from './ranking.service';

/** Before another attempt to subscribe on the same connection. */
const RETRY_PAUSE_MS = 1_000;

/** Keeps this process's copies of the boards up to date, over a Redis connection of its own. */
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
      // `follow` subscribes itself, since the boards must be read after that.
      autoResubscribe: false,
      // So that a connection that died silently is detected.
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

  /** Reads after subscribing: changes that are published in between are kept and then applied. */
  private async follow(channels: string[]): Promise<void> {
    clearTimeout(this.retry);
    try {
      await this.connection.subscribe(...channels);
      await Promise.all(this.ranking.boards.map(({ replica }) => replica.resync()));
    } catch (error) {
      if (this.isStopping) return;
      this.logger.warn(`The boards do not receive changes yet: ${String(error)}`);
      // Otherwise the connection was lost, and the next one calls this method.
      if (this.connection.status === 'ready')
        this.retry = setTimeout(() => void this.follow(channels), RETRY_PAUSE_MS);
    }
  }
}
