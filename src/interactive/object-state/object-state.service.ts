import { Injectable, Logger } from '@nestjs/common';
import { Counter } from 'prom-client';
import { keyOfObject, type ObjectRef } from '../../platform/business-object';
import { BatchLoader, KeyBudget } from '../../platform/loading';
import { HashReadBatch, RedisBreaker, RedisRoom } from '../../platform/redis';
import { CountersCache, countersRead, countsOf } from '../cache/counters.cache';
import type { Tickets } from '../cache/load-tickets';
import { marksOf, marksRead, OwnMarksCache } from '../cache/own-marks.cache';
import { CountersRepository } from '../counters/counters.repository';
import { MarkRepository } from '../marks/mark.repository';
import { type CounterRow, type Counts, NO_COUNTS, noCounterRow } from '../model/counter-row';
import { keyOfMark, type MarkKey, type OwnMarks, ownMarksOf } from '../model/mark';
import type { ObjectState } from '../model/object-state';

/** Undefined is what the cache does not have; no own marks are read for an anonymous user. */
interface CachedState {
  readonly counts?: Counts;
  readonly marks?: OwnMarks;
}

const NO_MARKS: OwnMarks = { liked: false, collected: false };

/** Keys a minute that a user's requests may create in Redis, and those of all anonymous users. */
const KEYS_OF_USER = 3_000;
const KEYS_OF_ANONYMOUS = 60_000;
const ANONYMOUS = 0;

interface MarkLoad extends MarkKey {
  /** The object was read, liked or collected: that a user has no mark of it is worth storing. */
  readonly isKnown: boolean;
}

/** Loads what Redis does not have, of all requests that wait. */
interface Loads {
  readonly counters: BatchLoader<ObjectRef, CounterRow>;
  readonly marks: BatchLoader<MarkLoad, OwnMarks>;
}

/** What readers see of objects: from Redis, or from MySQL where Redis does not have it. */
@Injectable()
export class ObjectStateService {
  private readonly logger = new Logger(ObjectStateService.name);
  private readonly loads = new Counter({
    name: 'webook_interactive_cache_loads_total',
    help: 'Objects that were read from MySQL because Redis did not have them',
    labelNames: ['what'],
  });
  private readonly breaker = new RedisBreaker();
  private readonly budget = new KeyBudget();
  private readonly storedLoads = this.loadsThat(true);
  private readonly unstoredLoads = this.loadsThat(false);

  constructor(
    private readonly repository: CountersRepository,
    private readonly marks: MarkRepository,
    private readonly reads: HashReadBatch,
    private readonly countersCache: CountersCache,
    private readonly ownMarksCache: OwnMarksCache,
    private readonly room: RedisRoom,
  ) {}

  /**
   * The objects' states in their order; zeros for an object that was never seen.
   * @param uid the user whose own marks are read; null for an anonymous one
   * @throws an error that becomes 503 when neither Redis nor MySQL answers
   */
  async states(objects: readonly ObjectRef[], uid: number | null): Promise<ObjectState[]> {
    const cached: readonly CachedState[] =
      (await this.breaker.read(() => this.readCache(objects, uid))) ?? objects.map(() => ({}));
    if (cached.every(({ counts, marks }) => counts && (marks || uid === null)))
      return objects.map((object, i) => stateOf(object, cached[i]?.counts, cached[i]?.marks));
    return this.completed(objects, uid, cached);
  }

  /** One round trip for counters and own marks together. */
  private async readCache(
    objects: readonly ObjectRef[],
    uid: number | null,
  ): Promise<CachedState[]> {
    const reads = objects.map(countersRead);
    if (uid !== null)
      for (const { biz, bizId } of objects) reads.push(marksRead({ uid, biz, bizId }));
    const hashes = await this.reads.read(reads);
    return objects.map((_, i) => {
      const marks = hashes[objects.length + i];
      return { counts: countsOf(hashes[i]!), marks: marks && marksOf(marks) };
    });
  }

  private async completed(
    objects: readonly ObjectRef[],
    uid: number | null,
    cached: readonly CachedState[],
  ): Promise<ObjectState[]> {
    const withoutCounts = objects.filter((_, i) => !cached[i]?.counts);
    const withoutMarks =
      uid === null
        ? []
        : objects.flatMap(({ biz, bizId }, i) =>
            cached[i]?.marks ? [] : [{ uid, biz, bizId, isKnown: isKnown(cached[i]?.counts) }],
          );
    const loads = this.mayStore(uid, withoutCounts.length + withoutMarks.length)
      ? this.storedLoads
      : this.unstoredLoads;
    const [counts, marks] = await Promise.all([
      withoutCounts.length > 0 ? loads.counters.load(withoutCounts) : [],
      withoutMarks.length > 0 ? loads.marks.load(withoutMarks) : [],
    ]);
    // Both are in the order of the objects that lacked them.
    const loadedCounts = counts.values();
    const loadedMarks = marks.values();
    return objects.map((object, i) =>
      stateOf(
        object,
        cached[i]?.counts ?? loadedCounts.next().value,
        uid === null ? undefined : (cached[i]?.marks ?? loadedMarks.next().value),
      ),
    );
  }

  private mayStore(uid: number | null, keys: number): boolean {
    if (!this.room.hasRoom) return false;
    return uid === null
      ? this.budget.take(ANONYMOUS, keys, KEYS_OF_ANONYMOUS)
      : this.budget.take(uid, keys, KEYS_OF_USER);
  }

  private loadsThat(areStored: boolean): Loads {
    return {
      counters: new BatchLoader(keyOfObject, (objects) => this.loadCounters(objects, areStored)),
      marks: new BatchLoader<MarkLoad, OwnMarks>(keyOfMark, (keys) =>
        this.loadMarks(keys, areStored),
      ),
    };
  }

  private async loadCounters(
    objects: readonly ObjectRef[],
    isStored: boolean,
  ): Promise<CounterRow[]> {
    this.loads.inc({ what: 'counters' }, objects.length);
    return this.loadThrough(
      isStored,
      () => this.countersCache.tickets(objects),
      async () => {
        const rows = await this.repository.counters(objects);
        const found = new Map(rows.map((row) => [keyOfObject(row), row]));
        return objects.map((object) => found.get(keyOfObject(object)) ?? noCounterRow(object));
      },
      (tickets, rows) => this.countersCache.storeLoaded(tickets, rows),
    );
  }

  private async loadMarks(keys: readonly MarkLoad[], isStored: boolean): Promise<OwnMarks[]> {
    this.loads.inc({ what: 'marks' }, keys.length);
    const states = await this.loadThrough(
      isStored,
      () => this.ownMarksCache.tickets(keys),
      () => this.marks.states(keys),
      (tickets, loaded) => {
        const known = new Set(keys.filter((key) => key.isKnown).map(keyOfObject));
        return this.ownMarksCache.storeLoaded(tickets, loaded, known);
      },
    );
    return states.map(ownMarksOf);
  }

  /** Loads from MySQL and stores the result in Redis, if it is to be stored and Redis answers. */
  private async loadThrough<T>(
    isStored: boolean,
    takeTickets: () => Promise<Tickets>,
    load: () => Promise<T>,
    store: (tickets: Tickets, loaded: T) => Promise<void>,
  ): Promise<T> {
    const tickets = isStored ? await this.unlessAway(takeTickets) : undefined;
    const loaded = await load();
    if (tickets) await this.unlessAway(() => store(tickets, loaded));
    return loaded;
  }

  /** Never rejects: what cannot be cached is loaded again the next time. */
  private async unlessAway<T>(work: () => Promise<T>): Promise<T | undefined> {
    if (this.breaker.isOpen) return undefined;
    try {
      return await work();
    } catch (error) {
      this.logger.debug(`Redis does not store what is loaded: ${String(error)}`);
      return undefined;
    }
  }
}

const isKnown = (counts: Counts | undefined): boolean =>
  counts !== undefined && counts.readCnt + counts.likeCnt + counts.collectCnt > 0;

function stateOf(
  { biz, bizId }: ObjectRef,
  { readCnt, likeCnt, collectCnt }: Counts = NO_COUNTS,
  { liked, collected }: OwnMarks = NO_MARKS,
): ObjectState {
  return { biz, bizId, readCnt, likeCnt, collectCnt, liked, collected };
}
