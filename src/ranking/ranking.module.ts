import { Module } from '@nestjs/common';
import { LivePageController } from './live-page.controller';
import { RankingCache } from './ranking.cache';
import { RankingConsumer } from './ranking.consumer';
import { RankingController } from './ranking.controller';
import { RankingRepository } from './ranking.repository';
import { RankingScheduler } from './ranking.scheduler';
import { RankingService } from './ranking.service';
import { RankingSubscriber } from './ranking.subscriber';

/** Live top-N boards that follow the table `interactives` by change capture. */
@Module({
  controllers: [RankingController, RankingConsumer, LivePageController],
  providers: [RankingService, RankingCache, RankingRepository, RankingScheduler, RankingSubscriber],
})
export class RankingModule {}
