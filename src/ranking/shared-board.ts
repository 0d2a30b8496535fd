import { Logger } from '@nestjs/common';
import { Counter } from 'prom-client';
import { UnavailableError } from '../platform/errors';
import type { BoardShape, RankedState } from './board';
import type { BoardDefinition } from './board-definition';
import { BoardReplica } from './board-replica';
import type { RankingCache, TableTop } from './ranking.cache';
import type { RankedRow } from './ranked-row';

const loads = new Counter({
  name: 'webook_ranking_loads_total',
  help: 'Loads of a board from the database, by reason',
  labelNames: ['board', 'reason'],
});
const differingRows = new Counter({
  name: 'webook_ranking_differing_rows_total',
  help: 'Rows of a board that a load found different from the database',
  labelNames: ['board'],
});

/** Why a board is read from the database. */
export type LoadReason = 'start' | 'absent' | 'refill' | 'abandoned' | 'reconcile' | 'gap' | 'due';

/** A batch of captured changes, as one board needs it. */
export interface BoardBatch {
  readonly partition: number;
  readonly firstOffset: number;
  /** Offset after its last message. */
  readonly nextOffset: number;
  readonly states: readonly RankedState[];
}

/** The database, as the source of a board's rows. */
export interface BoardSource {
  /** Reads the best rows, not as of a moment before the call. */
  top(limit: number): Promise<TableTop>;
  /** Reads the current states of these rows, not as of a moment before the call. */
  current(ids: readonly number[]): Promise<RankedState[]>;
}

/** A load counts as abandoned when its lease was not prolonged for this long. */
const LEASE_MS = 3_000;
const PROLONG_INTERVAL_MS = 1_000;

/** Redis runs nothing else during a call. */
const STATES_PER_CALL = 1_000;

/** How often a batch is decided before `apply` fails. */
const ATTEMPTS = 20;

/**
 * One board, which all processes share in Redis: this process's copy, the batches that are applied to
 * it, its loads from the database. docs/ranking.md explains why it is exact.
 */
export class SharedBoard {
  readonly replica: BoardReplica;
  private readonly logger: Logger;
  /** By partition: the next offset that this process expects in Redis. */
  private nextOffsets = new Map<number, number>();
  private loading: Promise<void> | null = null;
  private queued: Promise<void> | null = null;
  private seqAtLastWatch = 0;

  constructor(
    readonly definition: BoardDefinition,
    readonly shape: BoardShape,
    private readonly cache: RankingCache,
    private readonly source: BoardSource,
  ) {
    this.logger = new Logger(`Board ${definition.name}`);
    this.replica = new BoardReplica(
      shape,
      () => cache.snapshot(definition.name),
      // The copy and the expected offsets must be of the same moment.
      ({ nextOffsets }) => (this.nextOffsets = new Map(nextOffsets)),
    );
  }

  private get name(): string {
    return this.definition.name;
  }

  /**
   * Applies a batch: one call to Redis for each thousand states, more if another process has handled
   * the partition or loaded the board in the meantime.
   * @throws UnavailableError and the clients' errors; the same batch may then be applied again
   */
  async apply(batch: BoardBatch): Promise<void> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      if (await this.tryApply(batch)) {
        if (this.replica.board.lacking) await this.load('refill');
        return;
      }
    }
    throw new UnavailableError(
      'redis',
      `board ${this.name} was changed by other processes during each of ${ATTEMPTS} attempts`,
    );
  }

  /**
   * Loads the board from the database. A load that is already under way, here or in another process,
   * is used instead, except after a gap: it may have read before the changes that were lost.
   */
  load(reason: LoadReason): Promise<void> {
    if (this.loading === null) {
      this.loading = this.loadNow(reason).finally(() => (this.loading = null));
      return this.loading;
    }
    if (reason !== 'gap') return this.loading;
    this.queued ??= this.loading
      .catch(() => undefined)
      .then(() => {
        this.queued = null;
        return this.load(reason);
      });
    return this.queued;
  }

  /**
   * Compares the copy with Redis, and repairs what no message repairs: a lost board, an abandoned load,
   * an outdated copy, a board with fewer rows than this process needs. To be called at intervals.
   */
  async watch(): Promise<void> {
    const status = await this.cache.status(this.name);
    const isStuck = this.replica.seq === this.seqAtLastWatch;
    this.seqAtLastWatch = this.replica.seq;
    if (status.epoch === null) return this.load('absent');
    if (status.abandoned) await this.load('abandoned');
    if (status.seq !== this.replica.seq && (isStuck || this.replica.epoch === null))
      await this.replica.resync();
    if (this.replica.board.lacking) await this.load('refill');
  }

  /** The row with its rank from 1; null when it is not on the board. */
  item(id: number): { rank: number; row: RankedRow } | null {
    const { shown } = this.replica;
    const rank = shown?.rankOf(id) ?? null;
    const row = shown?.get(id);
    return rank === null || row === undefined ? null : { rank, row };
  }

  /** @returns false when the batch must be decided again */
  private async tryApply(batch: BoardBatch): Promise<boolean> {
    if (this.replica.epoch === null && (await this.replica.resync()) === null)
      await this.load('absent');
    const epoch = this.replica.epoch;
    if (epoch === null) return false;
    let expectedOffset = this.nextOffsets.get(batch.partition);
    const isReplay = expectedOffset !== undefined && batch.firstOffset < expectedOffset;
    // In a replay, the state of a row outside may be long outdated, and no version of it is kept.
    const states = isReplay
      ? await this.source.current(batch.states.map(({ id }) => id))
      : batch.states;
    // The first call claims the whole batch. If this process ends before the last call, or must decide
    // again, the rest of the batch is handled as a replay.
    for (let i = 0; i === 0 || i < states.length; i += STATES_PER_CALL) {
      const result = await this.cache.apply(this.name, {
        epoch,
        partition: batch.partition,
        expectedOffset,
        nextOffset: batch.nextOffset,
        states: states
          .slice(i, i + STATES_PER_CALL)
          .filter((state) => this.replica.board.matters(state)),
      });
      switch (result.outcome) {
        case 'absent':
          await this.load('absent');
          await this.replica.resync();
          return false;
        case 'stale':
          await this.replica.resync();
          return false;
        case 'applied':
          expectedOffset = Math.max(expectedOffset ?? 0, batch.nextOffset);
          this.nextOffsets.set(batch.partition, expectedOffset);
          // The next states are decided by the copy, so it must contain what this call changed.
          if (result.message !== '') await this.follow(result.message);
      }
    }
    return true;
  }

  private async follow(message: string): Promise<void> {
    this.replica.receive(message);
    await this.replica.reach((JSON.parse(message) as { seq: number }).seq);
  }

  private async loadNow(reason: LoadReason): Promise<void> {
    const opening = await this.cache.open(this.name, {
      capacity: this.shape.capacity,
      leaseMs: LEASE_MS,
      replaces: reason === 'gap',
    });
    if (opening === null) return;
    loads.inc({ board: this.name, reason });
    const { epoch, capacity } = opening;
    const top = await this.underLease(epoch, () => this.source.top(capacity));
    const differing = await this.cache.load(this.name, epoch, top);
    // Another process has opened the board since: its load reads newer rows.
    if (differing === null) return;
    differingRows.inc({ board: this.name }, differing);
    await this.replica.resync();
    if (differing > 0) this.logger.debug(`${reason}: ${differing} rows differed from the database`);
  }

  /** Prolongs the lease until `read` ends, so that no other process loads the board. Ends it on failure. */
  private async underLease<T>(epoch: string, read: () => Promise<T>): Promise<T> {
    // After a failure the next attempt may succeed in time.
    const prolong = (leaseMs: number): Promise<void> =>
      this.cache.prolong(this.name, epoch, leaseMs).catch(() => undefined);
    const timer = setInterval(() => void prolong(LEASE_MS), PROLONG_INTERVAL_MS);
    try {
      return await read();
    } catch (error) {
      await prolong(0);
      throw error;
    } finally {
      clearInterval(timer);
    }
  }
}
