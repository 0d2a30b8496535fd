import { Injectable, Logger } from '@nestjs/common';
import { Counter } from 'prom-client';
import { isUnavailable } from '../platform/errors';
import { BatchLoader } from './batch-loader';
import { type CachedState, InteractiveCache, type OwnMarks } from './interactive.cache';
import { InteractiveRepository } from './interactive.repository';
import { keyOfObject } from './mark.group';
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
    const coldCounters = objects.filter((_, i) => !cached[i]?.counters);
    const coldMarks = uid === null ? [] : objects.filter((_, i) => !cached[i]?.marks);
    const [counters, marks] = await Promise.all([
      coldCounters.length > 0 ? this.counters.load(coldCounters) : [],
      uid !== null && coldMarks.length > 0 ? this.loadMarks(uid, coldMarks) : undefined,
    ]);
    const loaded = new Map(counters.map((row) => [keyOfObject(row), row]));
    return objects.map((object, i) => {
      const row = cached[i]?.counters ?? loaded.get(keyOfObject(object));
      const own = cached[i]?.marks ?? marks?.get(keyOfObject(object));
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
    const rows = await this.repository.counters(objects);
    const found = new Map(rows.map((row) => [keyOfObject(row), row]));
    const all = objects.map(
      ({ biz, bizId }) =>
        found.get(keyOfObject({ biz, bizId })) ?? { biz, bizId, ...NO_COUNTS, id: 0, version: 0 },
    );
    await this.keep(all, []);
    return all;
  }

  /**
   * Not shared between requests: one that began before a like was committed must not answer another
   * that came after it.
   */
  private async loadMarks(
    uid: number,
    objects: readonly ObjectRef[],
  ): Promise<Map<string, OwnMarks>> {
    this.loads.inc({ what: 'marks' }, objects.length);
    const states = await this.marks.states(uid, objects);
    await this.keep([], states);
    const marks = new Map<string, { liked: boolean; collected: boolean }>();
    for (const state of states) {
      const key = keyOfObject(state);
      const own = marks.get(key) ?? { liked: false, collected: false };
      if (state.kind === 'like') own.liked = state.on;
      else own.collected = state.on;
      marks.set(key, own);
    }
    return marks;
  }

  private async keep(rows: readonly CounterRow[], marks: readonly MarkState[]): Promise<void> {
    if (this.awayUntil > 0) return;
    try {
      await this.cache.keep(rows, marks);
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
