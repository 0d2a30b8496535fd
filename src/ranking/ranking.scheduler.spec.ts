import { Logger } from '@nestjs/common';
import { CaptureGaps, type CaptureWatch } from '../cdc';
import type { Environment } from '../platform/config';
import { RankingScheduler } from './ranking.scheduler';
import type { RankingService } from './ranking.service';

describe('RankingScheduler', () => {
  let scheduler: RankingScheduler;
  let gaps: CaptureGaps;
  let loads: string[];
  let failure: Error | null;
  let comparisons: string[];
  let stands: boolean;

  async function start(role: 'api' | 'worker'): Promise<void> {
    const ranking = {
      boards: [],
      load: async (reason: string) => {
        loads.push(reason);
        if (failure !== null) throw failure;
      },
      refreshHot: async () => undefined,
      reconcile: async (job: string) => void comparisons.push(job),
    };
    scheduler = new RankingScheduler(
      { ROLE: role } as Environment,
      gaps,
      { stands: (group: string) => stands && group === 'ranking' } as CaptureWatch,
      ranking as unknown as RankingService,
    );
    scheduler.onApplicationBootstrap();
    // The boot does not wait for the first check.
    await new Promise(setImmediate);
  }

  beforeEach(() => {
    Logger.overrideLogger(false);
    gaps = new CaptureGaps();
    loads = [];
    failure = null;
    comparisons = [];
    stands = false;
  });

  afterEach(() => scheduler.onModuleDestroy());

  it.each([
    ['worker', ['start']],
    ['api', []],
  ] as const)('loads what a %s has to at start', async (role, expected) => {
    await start(role);
    expect(loads).toEqual(expected);
  });

  it.each([
    ['worker', ['reconcile']],
    ['api', []],
  ] as const)('compares the boards on a %s; on each while capture stands', async (role, usual) => {
    await start(role);
    await scheduler.reconcile();
    expect(comparisons).toEqual(usual);
    stands = true;
    await scheduler.reconcile();
    expect(comparisons).toEqual([...usual, 'reconcile-standing']);
  });

  it('loads the boards after a gap in change capture, and tries until that succeeds', async () => {
    await start('api');
    failure = new Error('away');
    jest.useFakeTimers();
    gaps.report('the binlog was purged');
    jest.runAllTimers();
    jest.useRealTimers();
    await scheduler.watch();
    await scheduler.watch();
    failure = null;
    await scheduler.watch();
    await scheduler.watch();
    expect(loads).toEqual(['gap', 'gap', 'gap']);
  });
});
