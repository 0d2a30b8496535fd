import { type DynamicModule, Global, Module } from '@nestjs/common';
import { ArticleModule, INTERACTIVE_COUNTS } from '../article';
import type { Environment } from '../platform/config';
import { CollectionsController } from './collections.controller';
import { CollectionsRepository } from './collections.repository';
import { CollectionsScheduler } from './collections.scheduler';
import { CollectionsService } from './collections.service';
import { CollectsController } from './collects.controller';
import { CountersConsumer } from './counters.consumer';
import { DriftRepository } from './drift.repository';
import { InteractiveCache } from './interactive.cache';
import { InteractiveController } from './interactive.controller';
import { InteractiveRepository } from './interactive.repository';
import { InteractiveService } from './interactive.service';
import { InteractiveVerifier } from './interactive.verifier';
import { LikesController } from './likes.controller';
import { LikesRepository } from './likes.repository';
import { LikesService } from './likes.service';
import { MarkRepository } from './mark.repository';
import { MarkWriter } from './mark.writer';
import { PacketConnections } from './packet-connections';
import { PublishedObjects } from './published-objects';
import { ReadsBatchConsumer } from './reads.consumer';
import { ReadsService } from './reads.service';
import { ReadsSingleConsumer } from './reads-single.consumer';

/** Reads, likes and collects of any kind of object. */
@Global()
@Module({})
export class InteractiveModule {
  static register({ READ_CONSUMER }: Environment): DynamicModule {
    return {
      module: InteractiveModule,
      imports: [ArticleModule],
      controllers: [
        // Before the routes of any object, whose paths have the same form.
        LikesController,
        CollectsController,
        CollectionsController,
        InteractiveController,
        CountersConsumer,
        READ_CONSUMER === 'single' ? ReadsSingleConsumer : ReadsBatchConsumer,
      ],
      providers: [
        InteractiveService,
        InteractiveRepository,
        InteractiveCache,
        DriftRepository,
        InteractiveVerifier,
        ReadsService,
        PublishedObjects,
        LikesService,
        LikesRepository,
        CollectionsService,
        CollectionsRepository,
        CollectionsScheduler,
        MarkRepository,
        MarkWriter,
        PacketConnections,
        { provide: INTERACTIVE_COUNTS, useExisting: InteractiveService },
      ],
      exports: [INTERACTIVE_COUNTS, InteractiveVerifier],
    };
  }
}
