import {
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import type { Subscription } from 'rxjs';
import { CaptureGaps } from '../cdc';
import { Environment } from '../platform/config';
import type { LoadReason } from './live-board';
import { RankingService } from './ranking.service';

/** Milliseconds between two looks whether the copies are in step and the boards are there. */
const WATCH_EVERY = 1_000;

/** Milliseconds between two comparisons with the database, which mend what no change tells. */
const RECONCILE_EVERY = 30_000;

/** Milliseconds between two computations of `hot`. */
const REFRESH_HOT_EVERY = 10_000;

type Job = 'watch' | 'reconcile' | 'hot';

@Injectable()
export class RankingScheduler implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(RankingScheduler.name);
  private readonly running = new Set<Job>();
  private readonly failing = new Set<Job>();
  /** Why the boards are to be read from the database at the next look. */
  private due: LoadReason | null = null;
  private gaps: Subscription | null = null;
  private isStopping = false;

  constructor(
    private readonly environment: Environment,
    private readonly captureGaps: CaptureGaps,
    private readonly ranking: RankingService,
  ) {}

  /** The first look loads the boards from the database; the boot does not wait for it. */
  onApplicationBootstrap(): void {
    if (this.worksInBackground) this.due = 'start';
    this.gaps = this.captureGaps.gaps$.subscribe(() => (this.due = 'gap'));
    void this.watch().then(() => this.refreshHot());
  }

  onModuleDestroy(): void {
    this.isStopping = true;
    this.gaps?.unsubscribe();
  }

  @Interval(WATCH_EVERY)
  async watch(): Promise<void> {
    await this.exclusively('watch', async () => {
      await this.loadWhatIsDue();
      await Promise.all(this.ranking.boards.map((board) => board.watch()));
    });
  }

  @Interval(RECONCILE_EVERY)
  async reconcile(): Promise<void> {
    if (!this.worksInBackground) return;
    await this.exclusively('reconcile', () => this.ranking.reconcile(RECONCILE_EVERY * 0.9));
  }

  @Interval(REFRESH_HOT_EVERY)
  async refreshHot(): Promise<void> {
    if (!this.worksInBackground) return;
    await this.exclusively('hot', () => this.ranking.refreshHot(REFRESH_HOT_EVERY * 0.9));
  }

  private async loadWhatIsDue(): Promise<void> {
    const reason = this.due;
    if (reason === null) return;
    this.due = null;
    try {
      await this.ranking.load(reason);
    } catch (error) {
      this.due ??= reason;
      throw error;
    }
  }

  private get worksInBackground(): boolean {
    return this.environment.ROLE !== 'api';
  }

  /** Not beside itself; a failure is told once and tried again at the next time. */
  private async exclusively(job: Job, work: () => Promise<void>): Promise<void> {
    if (this.running.has(job) || this.isStopping) return;
    this.running.add(job);
    try {
      await work();
      if (this.failing.delete(job)) this.logger.log(`${job} works again`);
    } catch (error) {
      if (this.isStopping || this.failing.has(job)) return;
      this.failing.add(job);
      this.logger.warn(`${job} fails, trying again: ${String(error)}`);
    } finally {
      this.running.delete(job);
    }
  }
}
