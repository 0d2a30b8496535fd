import { Injectable, Logger } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { Environment } from '../../platform/config';
import { CollectionsRepository, type DeletingFolder } from './collections.repository';
import { CollectionsService } from './collections.service';

const SWEEP_EVERY_MS = 10_000;
/** Folders of one sweep. */
const SWEEP_SIZE = 100;

/** Finishes deletions of folders that were interrupted. */
@Injectable()
export class CollectionsScheduler {
  private readonly logger = new Logger(CollectionsScheduler.name);
  private running = false;

  constructor(
    private readonly environment: Environment,
    private readonly repository: CollectionsRepository,
    private readonly service: CollectionsService,
  ) {}

  @Interval(SWEEP_EVERY_MS)
  async sweep(): Promise<void> {
    if (this.environment.ROLE === 'api' || this.running) return;
    this.running = true;
    try {
      for (const folder of await this.repository.deleting(SWEEP_SIZE)) await this.finish(folder);
    } catch (error) {
      this.logger.warn(`Interrupted deletions of folders could not be read: ${String(error)}`);
    } finally {
      this.running = false;
    }
  }

  /** Never rejects: a folder that cannot be emptied yet must not delay the others. */
  private async finish({ id, uid }: DeletingFolder): Promise<void> {
    try {
      await this.service.finishDeletion(uid, id);
    } catch (error) {
      this.logger.warn(`The deleted folder ${id} is not emptied yet: ${String(error)}`);
    }
  }
}
