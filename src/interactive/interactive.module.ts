import { Module } from '@nestjs/common';
import { ArticleModule } from '../article';
import { CountersCache } from './cache/counters.cache';
import { OwnMarksCache } from './cache/own-marks.cache';
import { CollectionsController } from './collections/collections.controller';
import { CollectionsRepository } from './collections/collections.repository';
import { CollectionsScheduler } from './collections/collections.scheduler';
import { CollectionsService } from './collections/collections.service';
import { CollectsController } from './collections/collects.controller';
import { CountersConsumer } from './counters/counters.consumer';
import { CountersRepository } from './counters/counters.repository';
import { LikesController } from './likes/likes.controller';
import { LikesRepository } from './likes/likes.repository';
import { LikesService } from './likes/likes.service';
import { MarkRepository } from './marks/mark.repository';
import { MarkWriter } from './marks/mark.writer';
import { PublishedObjects } from './marks/published-objects';
import { ObjectStateController } from './object-state/object-state.controller';
import { ObjectStateService } from './object-state/object-state.service';
import { DriftRepository } from './verification/drift.repository';
import { InteractiveVerifier } from './verification/interactive.verifier';

/** Likes, collects and counters of any kind of object. */
@Module({
  imports: [ArticleModule],
  controllers: [
    // Before the routes of any object, whose paths have the same form.
    LikesController,
    CollectsController,
    CollectionsController,
    ObjectStateController,
    CountersConsumer,
  ],
  providers: [
    CountersCache,
    OwnMarksCache,
    CountersRepository,
    MarkRepository,
    MarkWriter,
    PublishedObjects,
    LikesService,
    LikesRepository,
    CollectionsService,
    CollectionsRepository,
    CollectionsScheduler,
    ObjectStateService,
    DriftRepository,
    InteractiveVerifier,
  ],
  exports: [CollectionsService, LikesService, ObjectStateService],
})
export class InteractiveModule {}
