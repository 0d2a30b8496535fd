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
  help: 'Loads of a board from the database, by what called for it',
  labelNames: ['board', 'reason'],
});
const differingRows = new Counter({
  name: 'webook_ranking_differing_rows_total',
  help: 'Rows of a board that a load found different from the database',
  labelNames: ['board'],
});

/** Why a board is read from the database. */
export type LoadReason = 'start' | 'absent' | 'refill' | 'abandoned' | 'reconcile' | 'gap' | 'due';

/** A batch of the change log, as far as it concerns one board. */
export interface BoardBatch {
  readonly partition: number;
  readonly firstOffset: number;
  /** Offset behind its last message. */
  readonly nextOffset: number;
  readonly states: readonly RankedState[];
}

/** Where a board's rows come from. */
export interface BoardSource {
  /** Reads the best rows, of a moment after the call. */
  top(limit: number): Promise<TableTop>;
  /** Reads the states that the rows of these ids have now, of a moment after the call. */
  current(ids: readonly number[]): Promise<RankedState[]>;
}

/** Milliseconds without a sign of life after which a load counts as abandoned. */
const LEASE = 3_000;

/** Milliseconds between two signs of life of a load. */
const PROLONG_EVERY = 1_000;

/** States of one call to Redis, which runs nothing else meanwhile. */
const SLICE = 1_000;

/** Rounds of deciding anew before a batch is given back to be retried later. */
const ROUNDS = 20;

/**
 * One board: its copy in this process, the batches that go into it, its loads from the database.
 * docs/ranking.md argues why it is exact.
 */
export class LiveBoard {
  readonly replica: BoardReplica;
  private readonly logger: Logger;
  /** Per partition, what this process believes Redis to hold as its next offset. */
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
      // What is decided by the copy and what is expected of Redis must be of one moment.
      ({ nextOffsets }) => (this.nextOffsets = new Map(nextOffsets)),
    );
  }

  private get name(): string {
    return this.definition.name;
  }

  /**
   * Applies a batch: one call to Redis for each thousand states, unless another process handled the
   * partition or loaded the board meanwhile.
   * @throws UnavailableError and the clients' errors; the batch may be given again
   */
  async apply(batch: BoardBatch): Promise<void> {
    for (let round = 1; round <= ROUNDS; round++) {
      if (await this.tryApply(batch)) {
        if (this.replica.board.lacking) await this.load('refill');
        return;
      }
    }
    throw new UnavailableError('redis', `board ${this.name} keeps changing hands`);
  }

  /**
   * Reads the board from the database, unless a load is under way, here or in another process: it
   * serves as well, except after a gap, since it may have read before what was lost.
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
   * Compares the copy with Redis, and mends what no message would: a lost board, one whose load
   * was abandoned, a copy that is behind, one of which another process keeps too few rows. Call it
   * from time to time.
   */
  async watch(): Promise<void> {
    const vitals = await this.cache.vitals(this.name);
    const isStuck = this.replica.seq === this.seqAtLastWatch;
    this.seqAtLastWatch = this.replica.seq;
    if (vitals.epoch === null) return this.load('absent');
    if (vitals.abandoned) await this.load('abandoned');
    if (vitals.seq !== this.replica.seq && (isStuck || this.replica.epoch === null))
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

  /** @returns false when it has to be decided anew */
  private async tryApply(batch: BoardBatch): Promise<boolean> {
    if (this.replica.epoch === null && (await this.replica.resync()) === null)
      await this.load('absent');
    const epoch = this.replica.epoch;
    if (epoch === null) return false;
    let expectedOffset = this.nextOffsets.get(batch.partition);
    const isReplay = expectedOffset !== undefined && batch.firstOffset < expectedOffset;
    // What a replay says of a row outside may be long outdated, and no version is kept of it.
    const states = isReplay
      ? await this.source.current(batch.states.map(({ id }) => id))
      : batch.states;
    // The first call claims the whole batch: what is left of it, should this process end in between
    // or have to decide anew, is then a replay.
    for (let i = 0; i === 0 || i < states.length; i += SLICE) {
      const result = await this.cache.apply(this.name, {
        epoch,
        partition: batch.partition,
        expectedOffset,
        nextOffset: batch.nextOffset,
        states: states.slice(i, i + SLICE).filter((state) => this.replica.board.matters(state)),
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
          // What comes next is decided by this copy, so it must hold what this call did.
          if (result.message !== '') await this.holds(result.message);
      }
    }
    return true;
  }

  private async holds(message: string): Promise<void> {
    this.replica.receive(message);
    await this.replica.reach((JSON.parse(message) as { seq: number }).seq);
  }

  private async loadNow(reason: LoadReason): Promise<void> {
    const opening = await this.cache.open(this.name, {
      capacity: this.shape.capacity,
      lease: LEASE,
      insists: reason === 'gap',
    });
    if (opening === null) return;
    loads.inc({ board: this.name, reason });
    const { epoch, capacity } = opening;
    const top = await this.underLease(epoch, () => this.source.top(capacity));
    const differing = await this.cache.load(this.name, epoch, top);
    // Another process opened it after us: what it loads is newer.
    if (differing === null) return;
    differingRows.inc({ board: this.name }, differing);
    await this.replica.resync();
    if (differing > 0) this.logger.debug(`${reason}: ${differing} rows differed from the database`);
  }

  /** Keeps the other processes from loading the board for as long as `read` takes, if it does not fail. */
  private async underLease<T>(epoch: string, read: () => Promise<T>): Promise<T> {
    // A sign of life that does not get through: the next one may.
    const prolong = (lease: number): Promise<void> =>
      this.cache.prolong(this.name, epoch, lease).catch(() => undefined);
    const signs = setInterval(() => void prolong(LEASE), PROLONG_EVERY);
    try {
      return await read();
    } catch (error) {
      await prolong(0);
      throw error;
    } finally {
      clearInterval(signs);
    }
  }
}
