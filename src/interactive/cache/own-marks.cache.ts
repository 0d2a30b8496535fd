import { join } from 'node:path';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { keyOfObject } from '../../platform/business-object';
import type { Scanned } from '../../platform/database';
import {
  type Fields,
  type HashRead,
  HashReadBatch,
  InjectRedis,
  RedisScript,
  ScriptPipeline,
} from '../../platform/redis';
import type { MarkKey, MarkState, OwnMarks } from '../model/mark';
import { marksKey, scanMarksKeys } from './cache-keys';
import { absentForMs, cachedForMs, FLOOR_TTL_MS, pipelinesOf } from './cache-times';
import { takeTickets, type Tickets, ticketScript } from './load-tickets';

/** How long an announced change may take; after that its process counts as dead. */
const ANNOUNCED_FOR_MS = 30_000;

const FIELDS = ['l', 'lv', 'c', 'cv', 'p'];

/** The read of a user's cached marks of an object. */
export const marksRead = (key: MarkKey): HashRead => ({ key: marksKey(key), fields: FIELDS });

/** What `marksRead` has read; undefined when the marks are not cached, or a change is announced. */
export function marksOf([liked, likedVersion, collected, collectedVersion, pending]: Fields):
  OwnMarks | undefined {
  if (likedVersion === null || collectedVersion === null) return undefined;
  if (pending !== null && pending !== '0') return undefined;
  return { liked: liked === '1', collected: collected === '1' };
}

/**
 * Users' own marks in Redis: hashes of absolute values with versions, which scripts alone change. A
 * change is announced before it is committed, and readers ask MySQL until it has been applied.
 */
@Injectable()
export class OwnMarksCache implements OnModuleInit {
  private readonly applyScript = new RedisScript(join(__dirname, 'lua/apply-marks.lua'));
  private readonly announceScript = new RedisScript(join(__dirname, 'lua/announce.lua'));
  private readonly scripts: ScriptPipeline;

  constructor(
    @InjectRedis() private readonly redis: Redis,
    private readonly reads: HashReadBatch,
  ) {
    this.scripts = new ScriptPipeline(redis, [this.applyScript, this.announceScript, ticketScript]);
  }

  async onModuleInit(): Promise<void> {
    await this.scripts.load();
  }

  /** In the order of the keys; undefined where they are not cached, or a change is announced. */
  async read(keys: readonly MarkKey[]): Promise<(OwnMarks | undefined)[]> {
    return (await this.reads.read(keys.map(marksRead))).map(marksOf);
  }

  /**
   * Announces that these marks are about to change. The caller must then `applyStates` or `retract`;
   * until then, or for half a minute, readers ask MySQL.
   */
  async announce(keys: readonly MarkKey[]): Promise<void> {
    await this.scripts.run((pipeline) => {
      for (const ofObject of byObject(keys))
        this.announceScript.queue(pipeline, ofObject.map(marksKey), [ANNOUNCED_FOR_MS]);
    });
  }

  /** Takes an announcement back whose change was not committed. */
  async retract(keys: readonly MarkKey[]): Promise<void> {
    await this.apply('write', keys, () => ['', '', '', '', '', cachedForMs()]);
  }

  /** Ends an announcement: shows what was committed, unless an equal or newer state is there. */
  async applyStates(states: readonly MarkState[]): Promise<void> {
    await this.apply('write', states, (state) => [...stateOf(state), '', cachedForMs()]);
  }

  /** Take them before the read of states that `storeLoaded` is to store. */
  tickets(keys: readonly MarkKey[]): Promise<Tickets> {
    return takeTickets(this.scripts, keys.map(marksKey), FLOOR_TTL_MS);
  }

  /**
   * Stores what was read on a miss, unless an equal or newer state is there, a change is announced, or
   * the cache was lost since the tickets were taken. That a user has no record of an object is stored
   * only for a moment: clients may ask for any object.
   * @param known objects, by `keyOfObject`, of which it is stored like a record
   */
  async storeLoaded(
    tickets: Tickets,
    states: readonly MarkState[],
    known: ReadonlySet<string> = new Set(),
  ): Promise<void> {
    await this.apply('load', states, (state) => {
      const hasRecord = state.like.version > 0 || state.collect.version > 0;
      const isLasting = hasRecord || known.has(keyOfObject(state));
      const ticket = tickets.get(marksKey(state)) ?? '';
      return [...stateOf(state), ticket, isLasting ? cachedForMs() : absentForMs()];
    });
  }

  /** Forgets the users' marks, whatever their versions, but no announcement. */
  async drop(keys: readonly MarkKey[]): Promise<void> {
    await this.scripts.run((pipeline) => {
      for (const key of keys) pipeline.hdel(marksKey(key), 'l', 'lv', 'c', 'cv', 't');
    });
  }

  /** The users and objects that Redis has something of. */
  scan(): AsyncGenerator<Scanned<MarkKey>> {
    return scanMarksKeys(this.redis);
  }

  /** @param argumentsOf a key's arguments of `apply-marks.lua` */
  private async apply<Key extends MarkKey>(
    mode: 'write' | 'load',
    keys: readonly Key[],
    argumentsOf: (key: Key) => readonly (string | number)[],
  ): Promise<void> {
    for (const calls of pipelinesOf(byObject(keys)))
      await this.scripts.run((pipeline) => {
        for (const ofObject of calls)
          this.applyScript.queue(pipeline, ofObject.map(marksKey), [
            mode,
            ...ofObject.flatMap(argumentsOf),
          ]);
      });
  }
}

/** A script call for each object, since its keys share a slot of a cluster. */
function byObject<Key extends MarkKey>(keys: readonly Key[]): Key[][] {
  return [...Map.groupBy(keys, keyOfObject).values()];
}

const stateOf = ({ like, collect }: MarkState): (string | number)[] => [
  like.on ? 1 : 0,
  like.version,
  collect.on ? 1 : 0,
  collect.version,
];
