import { Module } from '@nestjs/common';
import { HistoryConsumer } from './history.consumer';
import { HistoryController } from './history.controller';
import { HistoryRepository } from './history.repository';
import { HistoryScheduler } from './history.scheduler';
import { HistoryService } from './history.service';

/** Which user has read which objects, recorded from the read events. */
@Module({
  controllers: [HistoryController, HistoryConsumer],
  providers: [HistoryService, HistoryRepository, HistoryScheduler],
})
export class HistoryModule {}
