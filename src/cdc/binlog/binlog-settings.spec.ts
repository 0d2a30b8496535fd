import { Logger } from '@nestjs/common';
import type { Environment } from '../../platform/config';
import { HealthRegistry } from '../../platform/health';
import type { CaptureGaps } from '../capture-gaps';
import type { BinlogServer } from './binlog-server';
import { BinlogSettings } from './binlog-settings';

const WRONG = 'binlog_format is STATEMENT: set binlog_format=ROW';

describe('BinlogSettings', () => {
  let settings: BinlogSettings;
  let health: HealthRegistry;
  let gaps: string[];
  let fault: string | undefined;
  let away: boolean;

  function start(overrides: Partial<Environment> = {}): void {
    settings = new BinlogSettings(
      { CDC_ENGINE: 'canal', ROLE: 'all', ...overrides } as Environment,
      {
        settingsFault: async () => {
          if (away) throw new Error('away');
          return fault;
        },
      } as BinlogServer,
      { report: (reason: string) => void gaps.push(reason) } as CaptureGaps,
      health,
    );
    settings.onApplicationBootstrap();
  }

  const tick = (): Promise<void> => jest.advanceTimersByTimeAsync(5_000);

  beforeEach(() => {
    Logger.overrideLogger(false);
    jest.useFakeTimers();
    health = new HealthRegistry();
    gaps = [];
    fault = undefined;
    away = false;
  });

  afterEach(() => {
    settings.onModuleDestroy();
    jest.useRealTimers();
  });

  it('names a wrong setting within seconds, and has everything read again until it is right', async () => {
    start();
    await tick();
    expect([settings.fault, gaps]).toEqual([undefined, []]);
    fault = WRONG;
    await tick();
    away = true;
    await tick();
    away = false;
    await tick();
    expect((await health.readiness()).checks.cdc).toEqual({ status: 'down', error: WRONG });
    expect(gaps).toEqual([WRONG, WRONG].map((wrong) => `changes may be missing, since ${wrong}`));
    fault = undefined;
    await tick();
    await tick();
    expect((await health.readiness()).checks.cdc).toEqual({ status: 'up' });
    expect(gaps.slice(2)).toEqual(["MySQL's settings were wrong until now"]);
  });

  it.each([
    ['leaves the check to the relay', { CDC_ENGINE: 'relay' }, WRONG],
    ['does nothing where nothing is captured or consumed', { ROLE: 'api' }, undefined],
  ] as const)('%s', async (_, overrides, expected) => {
    fault = WRONG;
    start(overrides);
    await tick();
    expect(settings.fault).toBe(expected);
    expect((await health.readiness()).checks).toEqual({});
  });
});
