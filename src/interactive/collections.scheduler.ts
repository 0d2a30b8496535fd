import { Injectable, Logger } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { Environment } from '../platform/config';
import { CollectionsRepository, type DyingFolder } from './collections.repository';
import { CollectionsService } from './collections.service';

/** Milliseconds between two looks for deletions that were cut short. */
const EVERY = 10_000;
const AT_ONCE = 100;

/** Finishes the deletion of folders whose request died on the way. */
@Injectable()
export class CollectionsScheduler {
  private readonly logger = new Logger(CollectionsScheduler.name);
  private running = false;

  constructor(
    private readonly environment: Environment,
    private readonly repository: CollectionsRepository,
    private readonly service: CollectionsService,
  ) {}

  @Interval(EVERY)
  async sweep(): Promise<void> {
    if (this.environment.ROLE === 'api' || this.running) return;
    this.running = true;
    try {
      for (const folder of await this.repository.dying(AT_ONCE)) await this.finish(folder);
    } catch (error) {
      this.logger.warn(`Deleted folders were not looked for: ${String(error)}`);
    } finally {
      this.running = false;
    }
  }

  /** Never rejects: one that cannot be emptied yet must not keep the others waiting. */
  private async finish({ id, uid }: DyingFolder): Promise<void> {
    try {
      await this.service.finishDeletion(uid, id);
    } catch (error) {
      this.logger.warn(`The deleted folder ${id} is not emptied yet: ${String(error)}`);
    }
  }
}
