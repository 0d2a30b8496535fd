import { Environment } from '../../platform/config';
import type { CollectionsRepository } from './collections.repository';
import { CollectionsScheduler } from './collections.scheduler';
import type { CollectionsService } from './collections.service';

describe('CollectionsScheduler', () => {
  it('empties the folders after one that cannot be emptied', async () => {
    const finishDeletion = jest.fn(async (_uid: number, id: number) => {
      if (id === 1) throw new Error('its rows are locked');
    });
    const scheduler = new CollectionsScheduler(
      new Environment(),
      {
        deleting: async () => [1, 2, 3].map((id) => ({ id, uid: 9 })),
      } as unknown as CollectionsRepository,
      { finishDeletion } as unknown as CollectionsService,
    );
    await scheduler.sweep();
    expect(finishDeletion.mock.calls).toEqual([
      [9, 1],
      [9, 2],
      [9, 3],
    ]);
  });
});
