import { Injectable, Logger } from '@nestjs/common';
import { Counter } from 'prom-client';
import { isUnavailable } from '../platform/errors';
import { BatchLoader } from './batch-loader';
import {
  type CachedState,
  InteractiveCache,
  type OwnMarks,
  type Tickets,
} from './interactive.cache';
import { InteractiveRepository } from './interactive.repository';
import { keyOfMark, keyOfObject, type MarkKey } from './mark.group';
import { MarkRepository } from './mark.repository';
import {
  type CounterRow,
  type Counts,
  type MarkState,
  NO_COUNTS,
  type ObjectRef,
  type ObjectState,
} from './states';

const NOTHING_CACHED: CachedState = { counters: undefined, marks: undefined };
/** Milliseconds for which Redis is left alone after it was away. */
const PAUSE = 1_000;
/** Milliseconds in which a read of it is answered, or has failed. */
const PATIENCE = 6_000;

/** What readers see of objects: from Redis, and from MySQL where Redis does not have it. */
@Injectable()
export class InteractiveService {
  private readonly logger = new Logger(InteractiveService.name);
  private readonly loads = new Counter({
    name: 'webook_interactive_cache_loads_total',
    help: 'Objects that were read from MySQL since Redis did not have them',
    labelNames: ['what'],
  });
  private readonly counters = new BatchLoader<ObjectRef, CounterRow>(keyOfObject, (objects) =>
    this.loadCounters(objects),
  );
  private readonly ownMarks = new BatchLoader<MarkKey, OwnMarks>(keyOfMark, (keys) =>
    this.loadMarks(keys),
  );

  /** When to see whether Redis is back; 0 while it answers. */
  private awayUntil = 0;

  constructor(
    private readonly repository: InteractiveRepository,
    private readonly marks: MarkRepository,
    private readonly cache: InteractiveCache,
  ) {}

  /**
   * The objects' states in their order; zeros for one never seen.
   * @param uid whose own marks are told; null for nobody's
   * @throws an error that stands for 503 when neither Redis nor MySQL answers
   */
  async states(objects: readonly ObjectRef[], uid: number | null): Promise<ObjectState[]> {
    const cached = await this.cached(objects, uid);
    if (cached.every(({ counters, marks }) => counters && (marks || uid === null)))
      return objects.map((object, i) => stateOf(object, cached[i]?.counters, cached[i]?.marks));
    const coldCounters = objects.filter((_, i) => !cached[i]?.counters);
    const coldMarks =
      uid === null
        ? []
        : objects
            .filter((_, i) => !cached[i]?.marks)
            .map(({ biz, bizId }) => ({ uid, biz, bizId }));
    const [counters, marks] = await Promise.all([
      coldCounters.length > 0 ? this.counters.load(coldCounters) : [],
      coldMarks.length > 0 ? this.ownMarks.load(coldMarks) : [],
    ]);
    // Both are in the order of the objects that lack them.
    let [nextCounters, nextMarks] = [0, 0];
    return objects.map((object, i) => {
      const row = cached[i]?.counters ?? counters[nextCounters++];
      const own = uid === null ? undefined : (cached[i]?.marks ?? marks[nextMarks++]);
      return stateOf(object, row, own);
    });
  }

  private async cached(objects: readonly ObjectRef[], uid: number | null): Promise<CachedState[]> {
    if (this.awayUntil === 0) return this.readCache(objects, uid);
    if (Date.now() >= this.awayUntil) {
      this.awayUntil = Date.now() + PATIENCE;
      // It may hang still, so nobody waits for it.
      this.readCache(objects, uid).catch(() => undefined);
    }
    return objects.map(() => NOTHING_CACHED);
  }

  private async readCache(
    objects: readonly ObjectRef[],
    uid: number | null,
  ): Promise<CachedState[]> {
    try {
      const states = await this.cache.read(objects, uid);
      this.awayUntil = 0;
      return states;
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      // MySQL can answer as well; one load per object at a time keeps the load on it bounded.
      this.logger.debug(`Redis is away, reading from MySQL: ${String(error)}`);
      this.awayUntil = Date.now() + PAUSE;
      return objects.map(() => NOTHING_CACHED);
    }
  }

  private async loadCounters(objects: readonly ObjectRef[]): Promise<CounterRow[]> {
    this.loads.inc({ what: 'counters' }, objects.length);
    const tickets = await this.tickets(objects, []);
    const rows = await this.repository.counters(objects);
    const found = new Map(rows.map((row) => [keyOfObject(row), row]));
    const all = objects.map(
      ({ biz, bizId }) =>
        found.get(keyOfObject({ biz, bizId })) ?? { biz, bizId, ...NO_COUNTS, id: 0, version: 0 },
    );
    await this.keep(tickets, all, []);
    return all;
  }

  private async loadMarks(keys: readonly MarkKey[]): Promise<OwnMarks[]> {
    this.loads.inc({ what: 'marks' }, keys.length);
    const tickets = await this.tickets([], keys);
    const states = await this.marks.states(keys);
    await this.keep(tickets, [], states);
    return keys.map((_, i) => ({
      liked: states[2 * i]?.on ?? false,
      collected: states[2 * i + 1]?.on ?? false,
    }));
  }

  /** Undefined when Redis is away; then nothing can be kept. */
  private async tickets(
    objects: readonly ObjectRef[],
    marks: readonly MarkKey[],
  ): Promise<Tickets | undefined> {
    if (this.awayUntil > 0) return undefined;
    try {
      return await this.cache.tickets(objects, marks);
    } catch (error) {
      this.logger.debug(`Redis will not keep what is loaded: ${String(error)}`);
      return undefined;
    }
  }

  private async keep(
    tickets: Tickets | undefined,
    rows: readonly CounterRow[],
    marks: readonly MarkState[],
  ): Promise<void> {
    if (!tickets || this.awayUntil > 0) return;
    try {
      await this.cache.keep(tickets, rows, marks);
    } catch (error) {
      this.logger.debug(`Redis could not keep what was loaded: ${String(error)}`);
    }
  }
}

function stateOf(
  { biz, bizId }: ObjectRef,
  row: Counts | undefined,
  own: OwnMarks | undefined,
): ObjectState {
  return {
    biz,
    bizId,
    readCnt: row?.readCnt ?? 0,
    likeCnt: row?.likeCnt ?? 0,
    collectCnt: row?.collectCnt ?? 0,
    liked: own?.liked ?? false,
    collected: own?.collected ?? false,
  };
}
