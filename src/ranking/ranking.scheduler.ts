import {
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import type { Subscription } from 'rxjs';
import { CaptureGaps, CaptureWatch } from '../cdc';
import { Environment } from '../platform/config';
import type { LoadReason } from './shared-board';
import { RANKING_GROUP } from './ranking.consumer';
import { RankingService } from './ranking.service';

/** Between two checks that the boards exist and the copies are up to date. */
const WATCH_INTERVAL_MS = 1_000;

/**
 * Between two comparisons with the database, which repair what no captured change shows: usually, and
 * while change capture stands.
 */
const RECONCILE_INTERVAL_MS = 30_000;
const STANDING_RECONCILE_INTERVAL_MS = 5_000;

/** Between two computations of `hot`. */
const HOT_INTERVAL_MS = 10_000;

/** A turn ends before the next interval does, so that every interval has one. */
const TURN_SHARE = 0.9;

type Job = 'watch' | 'reconcile' | 'hot';
const JOB_NAMES: Readonly<Record<Job, string>> = {
  watch: 'Checking the boards',
  reconcile: 'Comparing the boards with the database',
  hot: 'Computing the hot board',
};

@Injectable()
export class RankingScheduler implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(RankingScheduler.name);
  private readonly running = new Set<Job>();
  private readonly failing = new Set<Job>();
  /** Why the boards are loaded from the database at the next check. */
  private due: LoadReason | null = null;
  private gaps: Subscription | null = null;
  private isStopping = false;

  constructor(
    private readonly environment: Environment,
    private readonly captureGaps: CaptureGaps,
    private readonly captureWatch: CaptureWatch,
    private readonly ranking: RankingService,
  ) {}

  /** The first check loads the boards from the database; the boot does not wait for it. */
  onApplicationBootstrap(): void {
    if (this.worksInBackground) this.due = 'start';
    this.gaps = this.captureGaps.gaps$.subscribe(() => (this.due = 'gap'));
    void this.watch().then(() => this.refreshHot());
  }

  onModuleDestroy(): void {
    this.isStopping = true;
    this.gaps?.unsubscribe();
  }

  @Interval(WATCH_INTERVAL_MS)
  async watch(): Promise<void> {
    await this.exclusively('watch', async () => {
      await this.loadWhatIsDue();
      await Promise.all(this.ranking.boards.map((board) => board.watch()));
    });
  }

  /** While change capture stands, by every instance: perhaps since no worker is left. */
  @Interval(STANDING_RECONCILE_INTERVAL_MS)
  async reconcile(): Promise<void> {
    const stands = this.captureWatch.stands(RANKING_GROUP);
    if (!this.worksInBackground && !stands) return;
    await this.exclusively('reconcile', () =>
      stands
        ? this.ranking.reconcile('reconcile-standing', STANDING_RECONCILE_INTERVAL_MS * TURN_SHARE)
        : this.ranking.reconcile('reconcile', RECONCILE_INTERVAL_MS * TURN_SHARE),
    );
  }

  @Interval(HOT_INTERVAL_MS)
  async refreshHot(): Promise<void> {
    if (!this.worksInBackground) return;
    await this.exclusively('hot', () => this.ranking.refreshHot(HOT_INTERVAL_MS * TURN_SHARE));
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

  /** Never runs a job twice at once. A failure is logged once; the next interval tries again. */
  private async exclusively(job: Job, work: () => Promise<void>): Promise<void> {
    if (this.running.has(job) || this.isStopping) return;
    this.running.add(job);
    try {
      await work();
      if (this.failing.delete(job)) this.logger.log(`${JOB_NAMES[job]} succeeds again`);
    } catch (error) {
      if (this.isStopping || this.failing.has(job)) return;
      this.failing.add(job);
      this.logger.warn(`${JOB_NAMES[job]} fails and will be tried again: ${String(error)}`);
    } finally {
      this.running.delete(job);
    }
  }
}
