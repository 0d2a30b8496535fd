import { Controller, Logger } from '@nestjs/common';
import { register } from 'prom-client';
import { type MessageBatch, Subscribe } from '../../messaging';
import type { Environment } from '../../platform/config';
import type { Database } from '../../platform/database';
import { HealthRegistry } from '../../platform/health';
import { binlogTopic } from '../binlog.topic';
import { CaptureGaps } from '../capture-gaps';
import type { RowChange } from '../row-change';
import { CaptureWatch } from './capture-watch';
import type { HeartbeatRepository } from './heartbeat.repository';
import { SeenBeats } from './seen-beats';
import type { SeenBeatsCache } from './seen-beats.cache';

@Controller()
class Follower {
  @Subscribe(binlogTopic, { group: 'follower' })
  onChanges(): void {
    // Only its group matters.
  }
}
void Follower;

const PARTITIONS = binlogTopic.partitions;

describe('CaptureWatch', () => {
  let watch: CaptureWatch;
  let health: HealthRegistry;
  let beats: SeenBeats;
  let gaps: string[];
  let standing: string[];
  let written: number[];
  let redis: Map<string, number>;
  /** MySQL's clock differs from this process's. */
  const now = (): number => offset + performance.now();
  let offset: number;
  let away: Error | undefined;
  let refusal: Error | undefined;

  function start(role: 'api' | 'all' = 'all'): void {
    const captureGaps = new CaptureGaps();
    captureGaps.gaps$.subscribe(({ reason }) => gaps.push(reason));
    watch = new CaptureWatch(
      { ROLE: role } as Environment,
      { schema: async () => 'webook' } as Database,
      {
        now: async () => {
          if (away) throw away;
          return now();
        },
        beat: async (_: readonly number[], at: number) => {
          if (refusal) throw refusal;
          written.push(at);
        },
      } as unknown as HeartbeatRepository,
      beats,
      {
        exchange: async (seen: ReadonlyMap<string, number>) => {
          for (const [place, at] of seen) redis.set(place, at);
          return new Map(redis);
        },
      } as unknown as SeenBeatsCache,
      captureGaps,
      health,
    );
    watch.standing$.subscribe((group) => standing.push(group));
    watch.onApplicationBootstrap();
  }

  /** The group handles the newest beat in these partitions. */
  function see(...partitions: number[]): void {
    for (const partition of partitions) {
      const after = { source: 'main', slot: '0', beat_at: String(Math.round(now())) };
      const value = [{ database: 'webook', table: 'capture_heartbeats', after } as never];
      const batch = { group: 'follower', partition, messages: [{ value }] };
      beats.note(batch as unknown as MessageBatch<RowChange[]>, 'webook');
    }
  }

  /** Lets so many seconds pass, in which the group sees beats in these partitions. */
  async function pass(seconds: number, ...partitions: number[]): Promise<void> {
    for (let second = 0; second < seconds; second++) {
      see(...partitions);
      await jest.advanceTimersByTimeAsync(1_000);
    }
  }

  const all = Array.from({ length: PARTITIONS }, (_, partition) => partition);
  const fault = async (): Promise<string | undefined> =>
    (await health.readiness()).checks.capture?.error;

  beforeEach(() => {
    jest.useFakeTimers();
    Logger.overrideLogger(false);
    health = new HealthRegistry();
    beats = new SeenBeats();
    [gaps, standing, written] = [[], [], []];
    redis = new Map();
    away = refusal = undefined;
    offset = 10_000_000;
  });

  afterEach(() => {
    watch.onModuleDestroy();
    jest.useRealTimers();
  });

  it('names the partition that stands, and since when; and reports a gap when it is back', async () => {
    start();
    await pass(3, ...all);
    expect(await fault()).toBeUndefined();
    // The last beat is that of the last second.
    const since = new Date(now() - 1_000).toISOString().slice(0, -5);
    await pass(20, 0, 2);
    expect(watch.stands('follower')).toBe(true);
    expect(watch.stands('another')).toBe(false);
    expect(standing.length).toBeGreaterThan(5);
    expect(await fault()).toMatch(
      new RegExp(`^group follower has seen no change since ${since}.*partition 1 of webook_binlog`),
    );
    expect((await health.readiness()).status).toBe('degraded');
    expect(await register.metrics()).toMatch(
      /webook_capture_lag_seconds\{source="main",group="follower"\} (19|2\d)/,
    );
    expect(gaps).toEqual([]);
    await pass(3, ...all);
    expect(watch.stands('follower')).toBe(false);
    expect(await fault()).toBeUndefined();
    expect(gaps).toEqual(['change capture stood for follower']);
  });

  it('knows from others what they have seen, and leaves the comparison to a worker', async () => {
    start('api');
    for (let second = 0; second < 12; second++) {
      for (const partition of all) redis.set(`follower:main:${partition}`, now());
      await pass(1);
    }
    expect(watch.stands('follower')).toBe(false);
    // What was seen before Redis lost everything is still known.
    redis.clear();
    await pass(4);
    expect(watch.stands('follower')).toBe(false);
    await pass(12);
    expect(watch.stands('follower')).toBe(true);
    for (const partition of all) redis.set(`follower:main:${partition}`, now());
    await pass(2);
    expect(watch.stands('follower')).toBe(false);
    expect(gaps).toEqual([]);
    expect(written).toEqual([]);
  });

  it('says what to do when beats were never captured, and why none can be written', async () => {
    refusal = new Error('read-only');
    start();
    await pass(12);
    expect(await fault()).toMatch(
      /never seen a change of capture_heartbeats in partition 0.*must be captured.*no beat can be written: read-only/,
    );
  });

  it('notices a standstill also when the clock of MySQL is set back', async () => {
    start();
    await pass(3, ...all);
    offset -= 3_600_000;
    await pass(3, ...all);
    expect(watch.stands('follower')).toBe(false);
    offset -= 3_600_000;
    await pass(12);
    expect(watch.stands('follower')).toBe(true);
  });

  it('takes no outage of MySQL for a standstill', async () => {
    start();
    await pass(3, ...all);
    away = new Error('away');
    await pass(60);
    away = undefined;
    await pass(3);
    await pass(10, ...all);
    expect([standing, gaps]).toEqual([[], []]);
    expect(written.length).toBeGreaterThan(10);
  });
});
