import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { ChainableCommander, Redis } from 'ioredis';
import { InjectRedis, RedisScript } from '../platform/redis';
import { CommandBatch, type Fields, type HashRead } from './command-batch';
import type { MarkKey } from './mark.group';
import type { Scanned } from './scan';
import type { CounterRow, Counts, MarkState, ObjectRef } from './states';

/** Milliseconds that counters and marks stay; up to a quarter more, so that they don't expire together. */
const TTL = 10 * 60_000;
/** Milliseconds for an object without a row: asked for again soon, but not with every request. */
const NEGATIVE_TTL = 10_000;
/** Objects of one pipeline: all its answers must come before the connection's timeout. */
const SLICE = 1_000;
/** Keys, of whatever kind, that one step of a scan passes. */
const SCANNED = 1_000;
/** Milliseconds that an announced change may take; then its process counts as dead. */
const ANNOUNCED = 30_000;
/** Milliseconds for which captured changes keep older loads and late writes out of the cache. */
const FLOOR_TTL = 30_000;

const jittered = (ttl: number): number => Math.round(ttl * (1 + Math.random() / 4));

/** A user's marks of one object. */
export interface OwnMarks {
  readonly liked: boolean;
  readonly collected: boolean;
}

export interface CachedState {
  /** Undefined when the cache does not have them. */
  readonly counters: Counts | undefined;
  /** Undefined when the cache does not have them, or a change of them is on its way. */
  readonly marks: OwnMarks | undefined;
}

type Mode = 'write' | 'load' | 'capture' | 'gone';
/** By key: tells whether the cache still is what it was when a load began. */
export type Tickets = ReadonlyMap<string, string>;

const keyOf = ({ biz, bizId }: ObjectRef): string => `interactive:{${biz}:${bizId}}`;
const marksKeyOf = (object: ObjectRef, uid: number): string => `${keyOf(object)}:mine:${uid}`;

const COUNTER_FIELDS = ['r', 'l', 'c'];
const countersIn = (object: ObjectRef): HashRead => ({
  key: keyOf(object),
  fields: COUNTER_FIELDS,
});
const MARK_FIELDS = ['l', 'lv', 'c', 'cv', 'p'];
const marksIn = (object: ObjectRef, uid: number): HashRead => ({
  key: marksKeyOf(object, uid),
  fields: MARK_FIELDS,
});

const KEY = /^interactive:\{(.+):(\d+)\}(?::mine:(\d+))?$/;
const ANY_KEY = 'interactive:{*';

/** What a key is about; undefined for one that is none of ours. */
function refOf(key: string): ObjectRef | MarkKey | undefined {
  const [, biz, bizId, uid] = KEY.exec(key) ?? [];
  if (biz === undefined) return undefined;
  const object = { biz, bizId: Number(bizId) };
  return uid === undefined ? object : { ...object, uid: Number(uid) };
}

/**
 * Counters and own marks in Redis: hashes of absolute values with versions, `interactive:{biz:id}`
 * and `interactive:{biz:id}:mine:<uid>`, changed by scripts only, read in one round trip.
 */
@Injectable()
export class InteractiveCache implements OnModuleInit {
  private readonly applyScript = new RedisScript(join(__dirname, 'lua/apply.lua'));
  private readonly announceScript = new RedisScript(join(__dirname, 'lua/announce.lua'));
  private readonly ticketScript = new RedisScript<string>(join(__dirname, 'lua/ticket.lua'));
  private readonly reads: CommandBatch;

  constructor(@InjectRedis() private readonly redis: Redis) {
    this.reads = new CommandBatch(redis);
  }

  async onModuleInit(): Promise<void> {
    await this.loadScripts();
  }

  /** What is cached of the objects, in their order; own marks only for a user. */
  async read(objects: readonly ObjectRef[], uid: number | null): Promise<CachedState[]> {
    const reads = objects.map(countersIn);
    if (uid !== null) for (const object of objects) reads.push(marksIn(object, uid));
    const hashes = await this.reads.read(reads);
    return objects.map((_, i) => {
      const own = hashes[objects.length + i];
      return { counters: countsOf(hashes[i]!), marks: own && marksOf(own) };
    });
  }

  /** The objects' counters, in their order; undefined where they are not cached. */
  async counters(objects: readonly ObjectRef[]): Promise<(Counts | undefined)[]> {
    return (await this.reads.read(objects.map(countersIn))).map(countsOf);
  }

  /** Users' marks, in their order; undefined where they are not cached, or are being changed. */
  async marks(keys: readonly MarkKey[]): Promise<(OwnMarks | undefined)[]> {
    return (await this.reads.read(keys.map((key) => marksIn(key, key.uid)))).map(marksOf);
  }

  /**
   * Whose counters and whose marks Redis has something of. What comes or goes meanwhile may be left
   * out; some may come twice.
   */
  async *scan(): AsyncGenerator<Scanned<ObjectRef | MarkKey>> {
    const total = await this.redis.dbsize();
    let cursor = '0';
    let passed = 0;
    do {
      const [next, keys] = await this.redis.scan(cursor, 'MATCH', ANY_KEY, 'COUNT', SCANNED);
      cursor = next;
      passed += SCANNED;
      const items = keys.map(refOf).filter((item) => item !== undefined);
      const share = cursor === '0' ? 1 : Math.min(1, passed / total);
      yield { items, seen: items.length, share };
    } while (cursor !== '0');
  }

  /**
   * Tells that these users' marks are about to change. Whoever announces must `apply` the outcome, or
   * `retract`; until then, or for half a minute, readers ask the database.
   */
  async announce(marks: readonly (ObjectRef & { uid: number })[]): Promise<void> {
    const keysOfObject = new Map<string, Set<string>>();
    for (const mark of marks) {
      const object = keyOf(mark);
      const keys = keysOfObject.get(object) ?? new Set();
      keysOfObject.set(object, keys.add(marksKeyOf(mark, mark.uid)));
    }
    await this.pipelined((pipeline) => {
      for (const keys of keysOfObject.values())
        this.announceScript.queue(pipeline, [...keys], [ANNOUNCED]);
    });
  }

  /** Takes an announcement back of which nothing was committed. */
  async retract(marks: readonly MarkKey[]): Promise<void> {
    await this.bring('write', [], marks);
  }

  /** Shows what the program itself has just committed, unless something as new is there already. */
  async apply(rows: readonly CounterRow[], marks: readonly MarkState[] = []): Promise<void> {
    await this.bring('write', rows, marks);
  }

  /** What is to be asked for before counters or marks are read that shall be kept. */
  async tickets(objects: readonly ObjectRef[], marks: readonly MarkKey[] = []): Promise<Tickets> {
    const keys = [...objects.map(keyOf), ...marks.map((mark) => marksKeyOf(mark, mark.uid))];
    const ticket = randomBytes(6).toString('base64url');
    const answers = await this.pipelined((pipeline) => {
      for (const key of keys) this.ticketScript.queue(pipeline, [key], [ticket, FLOOR_TTL]);
    });
    return new Map(keys.map((key, i) => [key, answers[i] as string]));
  }

  /**
   * Keeps what was read on a miss, unless something is there already that is as new, or the cache
   * was lost since the tickets were given.
   */
  async keep(
    tickets: Tickets,
    rows: readonly CounterRow[],
    marks: readonly MarkState[] = [],
  ): Promise<void> {
    await this.bring('load', rows, marks, tickets);
  }

  /**
   * Shows what change capture tells of objects that are cached. Of others it may be long outdated,
   * so nobody is shown it; nothing older is kept of them for a while.
   * @param deleted rows that are gone, as they were last; before those of `rows`
   */
  async capture(rows: readonly CounterRow[], deleted: readonly CounterRow[]): Promise<void> {
    // Newer than every state of the row, so that a late load of it cannot bring it back at once.
    const gone = deleted.map((row) => ({ ...row, version: row.version + 1 }));
    await this.bring('gone', gone);
    await this.bring('capture', rows);
  }

  /** Forgets objects' counters and users' marks, whatever their versions, but no announcement. */
  async drop(objects: readonly ObjectRef[], marks: readonly MarkKey[] = []): Promise<void> {
    await this.pipelined((pipeline) => {
      for (const object of objects) pipeline.del(keyOf(object));
      for (const mark of marks)
        pipeline.hdel(marksKeyOf(mark, mark.uid), 'l', 'lv', 'c', 'cv', 't');
    });
  }

  /** Forgets the counters of every object, online. @returns of how many */
  async clear(): Promise<number> {
    let count = 0;
    for await (const { items } of this.scan()) {
      const objects = items.filter((item) => !('uid' in item));
      await this.drop(objects);
      count += objects.length;
    }
    return count;
  }

  private async bring(
    mode: Mode,
    rows: readonly CounterRow[],
    marks: readonly (MarkState | MarkKey)[] = [],
    tickets?: Tickets,
  ): Promise<void> {
    const ticketOf = (key: string): string => tickets?.get(key) ?? '';
    const calls = new Map<string, ScriptCall>();
    const callOf = (object: ObjectRef): ScriptCall => {
      const key = keyOf(object);
      let call = calls.get(key);
      if (!call)
        calls.set(
          key,
          (call = { key, counters: ['', '', '', '', '', ''], ttl: TTL, marks: new Map() }),
        );
      return call;
    };
    for (const row of rows) {
      const call = callOf(row);
      const { readCnt, likeCnt, collectCnt, id, version } = row;
      call.counters = [readCnt, likeCnt, collectCnt, id, version, ticketOf(call.key)];
      call.ttl = row.id === 0 ? NEGATIVE_TTL : TTL;
    }
    for (const mark of marks) {
      const own = callOf(mark).marks;
      const key = marksKeyOf(mark, mark.uid);
      const fields = own.get(key) ?? ['', '', '', '', ticketOf(key)];
      if ('kind' in mark)
        fields.splice(mark.kind === 'like' ? 0 : 2, 2, mark.on ? 1 : 0, mark.version);
      own.set(key, fields);
    }
    const all = [...calls.values()];
    for (let i = 0; i < all.length; i += SLICE)
      await this.pipelined((pipeline) => {
        for (const { key, counters, ttl, marks: own } of all.slice(i, i + SLICE))
          this.applyScript.queue(
            pipeline,
            [key, ...own.keys()],
            [
              mode,
              jittered(ttl),
              jittered(TTL),
              FLOOR_TTL,
              ...counters,
              ...[...own.values()].flat(),
            ],
          );
      });
  }

  /** One round trip; once more when the server has forgotten the scripts, e.g. in a restart. */
  private async pipelined(fill: (pipeline: ChainableCommander) => void): Promise<unknown[]> {
    for (let attempt = 1; ; attempt++) {
      const pipeline = this.redis.pipeline();
      fill(pipeline);
      if (pipeline.length === 0) return [];
      const answers = (await pipeline.exec()) ?? [];
      const failed = answers.find(([error]) => error)?.[0];
      if (!failed) return answers.map(([, answer]) => answer);
      if (!failed.message.startsWith('NOSCRIPT') || attempt > 1) throw failed;
      await this.loadScripts();
    }
  }

  private async loadScripts(): Promise<void> {
    const scripts = [this.applyScript, this.announceScript, this.ticketScript];
    await Promise.all(scripts.map((script) => script.load(this.redis)));
  }
}

interface ScriptCall {
  readonly key: string;
  counters: (string | number)[];
  ttl: number;
  /** By key: liked, its version, collected, its version, ticket. */
  readonly marks: Map<string, (string | number)[]>;
}

function countsOf([reads, likes, collects]: Fields): Counts | undefined {
  if (reads === null) return undefined;
  return { readCnt: Number(reads), likeCnt: Number(likes), collectCnt: Number(collects) };
}

function marksOf([liked, likedVersion, collected, collectedVersion, pending]: Fields):
  OwnMarks | undefined {
  if (likedVersion === null || collectedVersion === null) return undefined;
  if (pending !== null && pending !== '0') return undefined;
  return { liked: liked === '1', collected: collected === '1' };
}
