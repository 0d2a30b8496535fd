import { register } from 'prom-client';
import { UnavailableError } from '../platform/errors';
import type { InteractiveCache } from './interactive.cache';
import type { InteractiveRepository } from './interactive.repository';
import { InteractiveService } from './interactive.service';
import type { MarkKey } from './mark.group';
import type { MarkRepository } from './mark.repository';
import { NO_COUNTS, type ObjectRef } from './states';

describe('InteractiveService', () => {
  beforeEach(() => register.clear());

  it('waits for a Redis that hangs only once, and answers from MySQL', async () => {
    const cache = {
      read: () => Promise.reject(new UnavailableError('redis', 'Command timed out')),
      keep: () => new Promise<void>(() => undefined),
    };
    const object = { biz: 'article', bizId: 42 };
    const row = { ...object, readCnt: 5, likeCnt: 2, collectCnt: 1, version: 1 };
    const repository = { counters: () => Promise.resolve([row]) };
    const marks = {
      states: (keys: readonly MarkKey[]) =>
        Promise.resolve(
          keys.flatMap((key) => [
            { ...key, kind: 'like', on: true, version: 1 },
            { ...key, kind: 'collect', on: false, version: 0 },
          ]),
        ),
    };
    const service = new InteractiveService(
      repository as unknown as InteractiveRepository,
      marks as unknown as MarkRepository,
      cache as unknown as InteractiveCache,
    );
    expect(await service.states([object], 7)).toEqual([
      { ...object, readCnt: 5, likeCnt: 2, collectCnt: 1, liked: true, collected: false },
    ]);
  });

  it('loads what many users ask of a cold cache with one statement, and tells each his own', async () => {
    const cache = {
      read: (objects: readonly ObjectRef[]) =>
        Promise.resolve(objects.map(() => ({ counters: undefined, marks: undefined }))),
      tickets: () => Promise.resolve(new Map()),
      keep: () => Promise.resolve(),
    };
    const loads: (readonly MarkKey[])[] = [];
    let counterLoads = 0;
    const repository = {
      counters: (objects: readonly ObjectRef[]) => {
        counterLoads++;
        return Promise.resolve(
          objects.map((object) => ({ ...object, ...NO_COUNTS, id: 1, version: 1 })),
        );
      },
    };
    const marks = {
      states: (keys: readonly MarkKey[]) => {
        loads.push(keys);
        return Promise.resolve(
          keys.flatMap((key) => [
            { ...key, kind: 'like', on: key.uid % 2 === 0, version: 1 },
            { ...key, kind: 'collect', on: key.bizId % 2 === 0, version: 1 },
          ]),
        );
      },
    };
    const service = new InteractiveService(
      repository as unknown as InteractiveRepository,
      marks as unknown as MarkRepository,
      cache as unknown as InteractiveCache,
    );
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
});
