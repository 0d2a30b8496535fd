import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { type Observable, Subject, type Subscription } from 'rxjs';
import { unreadableMessages$ } from './binlog.topic';

/** Changes of rows that were never captured, e.g. since the binlog was purged while the relay was down. */
export interface CaptureGap {
  readonly reason: string;
}

/**
 * Until a gap is announced: what is noticed meanwhile is part of it, and what a server writes to its
 * binlog before it commits can be read by then.
 */
const SETTLE_MS = 300;
/** Between two announcements: however many gaps there are, everything is not read again all the time. */
const INTERVAL_MS = 5_000;

/** Announces gaps to everything that is derived from captured changes: it must reload from the database. */
@Injectable()
export class CaptureGaps implements OnModuleDestroy {
  private readonly logger = new Logger(CaptureGaps.name);
  private readonly announced = new Subject<CaptureGap>();
  readonly gaps$: Observable<CaptureGap> = this.announced.asObservable();
  private readonly subscription: Subscription;
  private reason = '';
  private count = 0;
  private timer: NodeJS.Timeout | undefined;
  private announcedAt = -Infinity;

  constructor() {
    this.subscription = unreadableMessages$.subscribe((reason) => this.report(reason));
  }

  onModuleDestroy(): void {
    this.subscription.unsubscribe();
    clearTimeout(this.timer);
  }

  /** Announces a gap soon, and once for all that are reported within five seconds. */
  report(reason: string): void {
    if (this.count++ === 0) this.reason = reason;
    if (this.timer) return;
    const wait = Math.max(SETTLE_MS, this.announcedAt + INTERVAL_MS - performance.now());
    this.timer = setTimeout(() => this.announce(), wait).unref();
  }

  private announce(): void {
    const reason = this.count > 1 ? `${this.reason} (and ${this.count - 1} more)` : this.reason;
    this.timer = undefined;
    this.count = 0;
    this.announcedAt = performance.now();
    this.logger.warn(`Boards and cached counters are read again from the database: ${reason}`);
    this.announced.next({ reason });
  }
}
