import { register } from 'prom-client';
import type { ObjectRef } from '../../platform/business-object';
import { UnavailableError } from '../../platform/errors';
import type { HashRead, HashReadBatch, RedisRoom } from '../../platform/redis';
import type { CountersCache } from '../cache/counters.cache';
import type { OwnMarksCache } from '../cache/own-marks.cache';
import type { CountersRepository } from '../counters/counters.repository';
import type { MarkRepository } from '../marks/mark.repository';
import { NO_COUNTS } from '../model/counter-row';
import type { MarkKey, MarkState } from '../model/mark';
import { ObjectStateService } from './object-state.service';

interface Fakes {
  hasRoom?: boolean;
  reads: { read(asked: readonly HashRead[]): Promise<unknown> };
  cache: object;
  repository: { counters(objects: readonly ObjectRef[]): Promise<object[]> };
  marks: { states(keys: readonly MarkKey[]): Promise<MarkState[]> };
}

const serviceOf = ({
  hasRoom = true,
  reads,
  cache,
  repository,
  marks,
}: Fakes): ObjectStateService =>
  new ObjectStateService(
    repository as unknown as CountersRepository,
    marks as unknown as MarkRepository,
    reads as unknown as HashReadBatch,
    cache as CountersCache,
    cache as OwnMarksCache,
    { hasRoom } as RedisRoom,
  );

describe('ObjectStateService', () => {
  beforeEach(() => register.clear());

  it('waits only once for a Redis that hangs, and answers from MySQL', async () => {
    const object = { biz: 'article', bizId: 42 };
    const row = { ...object, readCnt: 5, likeCnt: 2, collectCnt: 1, version: 1 };
    const service = serviceOf({
      reads: { read: () => Promise.reject(new UnavailableError('redis', 'Command timed out')) },
      cache: { storeLoaded: () => new Promise<void>(() => undefined) },
      repository: { counters: () => Promise.resolve([row]) },
      marks: {
        states: async (keys) =>
          keys.map((key) => ({
            ...key,
            like: { on: true, version: 1 },
            collect: { on: false, version: 0 },
          })),
      },
    });
    expect(await service.states([object], 7)).toEqual([
      { ...object, readCnt: 5, likeCnt: 2, collectCnt: 1, liked: true, collected: false },
    ]);
  });

  it('loads with one statement what many users ask of an empty cache, and gives each their own', async () => {
    const loads: (readonly MarkKey[])[] = [];
    let counterLoads = 0;
    const service = serviceOf({
      reads: { read: async (asked) => asked.map(({ fields }) => fields.map(() => null)) },
      cache: { tickets: async () => new Map(), storeLoaded: async () => undefined },
      repository: {
        counters: async (objects) => {
          counterLoads++;
          return objects.map((object) => ({ ...object, ...NO_COUNTS, id: 1, version: 1 }));
        },
      },
      marks: {
        states: async (keys) => {
          loads.push(keys);
          return keys.map((key) => ({
            ...key,
            like: { on: key.uid % 2 === 0, version: 1 },
            collect: { on: key.bizId % 2 === 0, version: 1 },
          }));
        },
      },
    });
    const objects = [1, 2].map((bizId) => ({ biz: 'article', bizId }));
    const users = Array.from({ length: 50 }, (_, i) => i + 1);
    const answers = await Promise.all(users.map((uid) => service.states(objects, uid)));
    answers.forEach((states, i) =>
      expect(states.map(({ bizId, liked, collected }) => ({ bizId, liked, collected }))).toEqual([
        { bizId: 1, liked: users[i]! % 2 === 0, collected: false },
        { bizId: 2, liked: users[i]! % 2 === 0, collected: true },
      ]),
    );
    expect(loads).toHaveLength(1);
    expect(loads[0]).toHaveLength(100);
    expect(counterLoads).toBe(1);
  });

  describe('what is not stored', () => {
    const emptyRedis = {
      read: async (asked: readonly HashRead[]) => asked.map(({ fields }) => fields.map(() => null)),
    };
    const emptyTables = {
      repository: { counters: async () => [] },
      marks: {
        states: async (keys: readonly MarkKey[]) =>
          keys.map((key) => ({
            ...key,
            like: { on: false, version: 0 },
            collect: { on: false, version: 0 },
          })),
      },
    };
    /** Counts the keys that are stored. */
    const countingCache = () => {
      const cache = {
        stored: 0,
        tickets: async () => new Map(),
        storeLoaded: async (_: unknown, items: unknown[]) => {
          cache.stored += items.length;
        },
      };
      return cache;
    };
    const objectsFrom = (first: number) =>
      Array.from({ length: 100 }, (_, i) => ({ biz: 'unknown', bizId: first + i }));

    it('is what one user asks for beyond 3,000 keys a minute; others are not limited by it', async () => {
      jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick'], now: 60_000_000 });
      const cache = countingCache();
      const service = serviceOf({ reads: emptyRedis, cache, ...emptyTables });
      for (let query = 0; query < 30; query++) {
        const states = await service.states(objectsFrom(1 + query * 100), 7);
        expect(states).toHaveLength(100);
      }
      expect(cache.stored).toBe(3_000);
      await service.states(objectsFrom(1), 8);
      expect(cache.stored).toBe(3_200);
      jest.useRealTimers();
    });

    it('is everything while Redis has no room', async () => {
      const cache = countingCache();
      const service = serviceOf({ hasRoom: false, reads: emptyRedis, cache, ...emptyTables });
      expect(await service.states(objectsFrom(1), 7)).toHaveLength(100);
      expect(cache.stored).toBe(0);
    });
  });
});
