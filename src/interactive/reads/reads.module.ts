import { type DynamicModule, Module } from '@nestjs/common';
import type { Environment } from '../../platform/config';
import { CountersRepository } from '../counters/counters.repository';
import { ReadsBatchConsumer } from './reads-batch.consumer';
import { ReadsController } from './reads.controller';
import { ReadsService } from './reads.service';
import { ReadsSingleConsumer } from './reads-single.consumer';

/** Counts reads: the route that publishes read events, and the consumer that `READ_CONSUMER` names. */
@Module({})
export class ReadsModule {
  static register({ READ_CONSUMER }: Environment): DynamicModule {
    return {
      module: ReadsModule,
      controllers: [
        ReadsController,
        READ_CONSUMER === 'single' ? ReadsSingleConsumer : ReadsBatchConsumer,
      ],
      providers: [ReadsService, CountersRepository],
    };
  }
}
