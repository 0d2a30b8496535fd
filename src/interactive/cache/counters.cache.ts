import { join } from 'node:path';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { CaptureWatch } from '../../cdc';
import type { ObjectRef } from '../../platform/business-object';
import type { Scanned } from '../../platform/database';
import {
  type Fields,
  type HashRead,
  HashReadBatch,
  InjectRedis,
  RedisScript,
  ScriptPipeline,
} from '../../platform/redis';
import type { CounterRow, Counts } from '../model/counter-row';
import { countersKey, scanCountersKeys } from './cache-keys';
import { absentForMs, cachedForMs, FLOOR_TTL_MS, pipelinesOf, standingForMs } from './cache-times';
import { takeTickets, type Tickets, ticketScript } from './load-tickets';

/** The consumer group that keeps the cached counters equal to their rows. */
export const COUNTERS_GROUP = 'interactive-cache';

/** See `apply-counters.lua`. */
type Mode = 'write' | 'load' | 'capture' | 'late' | 'deleted';

const DROP_TURN_KEY = 'interactive:turn:drop';

const FIELDS = ['r', 'l', 'c'];

/** The read of an object's cached counters. */
export const countersRead = (object: ObjectRef): HashRead => ({
  key: countersKey(object),
  fields: FIELDS,
});

/** What `countersRead` has read; undefined when the counters are not cached. */
export function countsOf([reads, likes, collects]: Fields): Counts | undefined {
  if (reads === null) return undefined;
  return { readCnt: Number(reads), likeCnt: Number(likes), collectCnt: Number(collects) };
}

/**
 * The objects' counters in Redis: hashes of absolute values with their row's id and version, which
 * scripts alone change.
 */
@Injectable()
export class CountersCache implements OnModuleInit {
  private readonly applyScript = new RedisScript(join(__dirname, 'lua/apply-counters.lua'));
  private readonly scripts: ScriptPipeline;

  constructor(
    @InjectRedis() private readonly redis: Redis,
    private readonly reads: HashReadBatch,
    private readonly watch: CaptureWatch,
  ) {
    this.scripts = new ScriptPipeline(redis, [this.applyScript, ticketScript]);
  }

  async onModuleInit(): Promise<void> {
    await this.scripts.load();
  }

  /** In the order of the objects; undefined where they are not cached. */
  async read(objects: readonly ObjectRef[]): Promise<(Counts | undefined)[]> {
    return (await this.reads.read(objects.map(countersRead))).map(countsOf);
  }

  /** Shows what this program has just committed, unless an equal or newer state is there. */
  async applyStates(rows: readonly CounterRow[]): Promise<void> {
    await this.apply('write', rows);
  }

  /** Take them before the read of rows that `storeLoaded` is to store. */
  tickets(objects: readonly ObjectRef[]): Promise<Tickets> {
    return takeTickets(this.scripts, objects.map(countersKey), FLOOR_TTL_MS);
  }

  /**
   * Stores what was read on a miss, unless an equal or newer state is there, or the cache was lost
   * since the tickets were taken.
   */
  async storeLoaded(tickets: Tickets, rows: readonly CounterRow[]): Promise<void> {
    await this.apply('load', rows, tickets);
  }

  /**
   * Shows captured states of objects that are cached. For other objects they may be long outdated, so
   * no reader is shown them, and nothing older is stored for a while. While capture stands, changes that
   * arrive are late: an object that is cached may have been loaded since, so it is loaded again.
   * @param deleted the last states of deleted rows; these deletions came before `rows`
   */
  async capture(rows: readonly CounterRow[], deleted: readonly CounterRow[]): Promise<void> {
    // Newer than every state of the row, so that a late load cannot store one of them at once.
    await this.apply(
      'deleted',
      deleted.map((row) => ({ ...row, version: row.version + 1 })),
    );
    await this.apply(this.stands ? 'late' : 'capture', rows);
  }

  /** Forgets the objects' counters, whatever their versions. */
  async drop(objects: readonly ObjectRef[]): Promise<void> {
    await this.scripts.run((pipeline) => {
      for (const object of objects) pipeline.del(countersKey(object));
    });
  }

  /** Whether this process may drop all counters; no other process may for so long. */
  async takeTurnToDrop(durationMs: number): Promise<boolean> {
    return (await this.redis.set(DROP_TURN_KEY, '1', 'PX', durationMs, 'NX')) === 'OK';
  }

  /** Forgets the counters of every object while the cache is in use. @returns of how many objects */
  async clear(): Promise<number> {
    let count = 0;
    for await (const { items } of this.scan()) {
      await this.drop(items);
      count += items.length;
    }
    return count;
  }

  /** The objects that Redis has something of. */
  scan(): AsyncGenerator<Scanned<ObjectRef>> {
    return scanCountersKeys(this.redis);
  }

  private get stands(): boolean {
    return this.watch.stands(COUNTERS_GROUP);
  }

  private async apply(mode: Mode, rows: readonly CounterRow[], tickets?: Tickets): Promise<void> {
    const keptForMs = this.stands ? standingForMs : cachedForMs;
    for (const calls of pipelinesOf(rows))
      await this.scripts.run((pipeline) => {
        for (const row of calls) {
          const key = countersKey(row);
          const ttlMs = row.id === 0 ? absentForMs() : keptForMs();
          const { readCnt, likeCnt, collectCnt, id, version } = row;
          const state = [readCnt, likeCnt, collectCnt, id, version, tickets?.get(key) ?? ''];
          this.applyScript.queue(pipeline, [key], [mode, ttlMs, FLOOR_TTL_MS, ...state]);
        }
      });
  }
}
