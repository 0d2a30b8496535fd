import { UnavailableError } from '../platform/errors';
import type { InteractiveCache } from './interactive.cache';
import type { InteractiveRepository } from './interactive.repository';
import { InteractiveService } from './interactive.service';
import type { MarkRepository } from './mark.repository';

describe('InteractiveService', () => {
  it('waits for a Redis that hangs only once, and answers from MySQL', async () => {
    const cache = {
      read: () => Promise.reject(new UnavailableError('redis', 'Command timed out')),
      keep: () => new Promise<void>(() => undefined),
    };
    const object = { biz: 'article', bizId: 42 };
    const row = { ...object, readCnt: 5, likeCnt: 2, collectCnt: 1, version: 1 };
    const repository = { counters: () => Promise.resolve([row]) };
    const marks = {
      states: (uid: number) =>
        Promise.resolve([{ ...object, uid, kind: 'like', on: true, version: 1 }]),
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
});
