import { Injectable, Logger } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { Environment } from '../platform/config';
import { HistoryRepository } from './history.repository';
import { HistoryService } from './history.service';

const SWEEP_EVERY_MS = 10_000;
/** Deletions of one sweep. */
const SWEEP_SIZE = 100;

/** Finishes deletions of reading histories that were interrupted. */
@Injectable()
export class HistoryScheduler {
  private readonly logger = new Logger(HistoryScheduler.name);
  private running = false;

  constructor(
    private readonly environment: Environment,
    private readonly repository: HistoryRepository,
    private readonly service: HistoryService,
  ) {}

  @Interval(SWEEP_EVERY_MS)
  async sweep(): Promise<void> {
    if (this.environment.ROLE === 'api' || this.running) return;
    this.running = true;
    try {
      for (const { uid, deletedUntil } of await this.repository.deletions(SWEEP_SIZE))
        await this.service.finishDeletion(uid, deletedUntil);
    } catch (error) {
      this.logger.warn(`Interrupted deletions of histories are not finished: ${String(error)}`);
    } finally {
      this.running = false;
    }
  }
}
