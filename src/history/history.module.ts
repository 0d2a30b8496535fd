import { Module } from '@nestjs/common';
import { HistoryConsumer } from './history.consumer';
import { HistoryController } from './history.controller';
import { HistoryRepository } from './history.repository';
import { HistoryService } from './history.service';

/** Who has read what, kept from the read events. */
@Module({
  controllers: [HistoryController, HistoryConsumer],
  providers: [HistoryService, HistoryRepository],
})
export class HistoryModule {}
