import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ReadingHistory } from './entities/reading-history.entity';
import { HistoryConsumer } from './history.consumer';
import { HistoryController } from './history.controller';
import { HistoryRepository } from './history.repository';
import { HistoryService } from './history.service';

/** Who has read what, kept from the read events. */
@Module({
  imports: [TypeOrmModule.forFeature([ReadingHistory])],
  controllers: [HistoryController, HistoryConsumer],
  providers: [HistoryService, HistoryRepository],
})
export class HistoryModule {}
