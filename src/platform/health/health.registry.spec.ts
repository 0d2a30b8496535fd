import { HealthRegistry } from './health.registry';

describe('HealthRegistry', () => {
  it('is ready when each dependency answers', async () => {
    const health = new HealthRegistry();
    health.add('mysql', () => Promise.resolve());
    expect(await health.readiness()).toEqual({
      status: 'ready',
      checks: { mysql: { status: 'up' } },
    });
  });

  it('names each dependency that is down, with the reason', async () => {
    const health = new HealthRegistry();
    health.add('mysql', () => Promise.resolve());
    health.add('redis', () => {
      throw new Error('connection refused');
    });
    health.add('log', () =>
      Promise.reject(Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' })),
    );
    expect(await health.readiness()).toEqual({
      status: 'not-ready',
      checks: {
        mysql: { status: 'up' },
        redis: { status: 'down', error: 'connection refused' },
        log: { status: 'down', error: 'ECONNREFUSED' },
      },
    });
  });

  it('is degraded, not unready, when only what it does not need to serve is down', async () => {
    const health = new HealthRegistry();
    health.add('mysql', () => Promise.resolve());
    health.report('capture', () => Promise.reject(new Error('stands')));
    expect(await health.readiness()).toEqual({
      status: 'degraded',
      checks: { mysql: { status: 'up' }, capture: { status: 'down', error: 'stands' } },
    });
    health.add('redis', () => Promise.reject(new Error('away')));
    expect((await health.readiness()).status).toBe('not-ready');
  });

  it('counts a dependency that does not answer as down', async () => {
    jest.useFakeTimers();
    try {
      const health = new HealthRegistry();
      health.add('redis', () => new Promise<void>(() => undefined));
      const readiness = health.readiness();
      await jest.advanceTimersByTimeAsync(1_000);
      expect((await readiness).checks.redis).toEqual({
        status: 'down',
        error: 'no answer within 1000 ms',
      });
    } finally {
      jest.useRealTimers();
    }
  });

  it('is not ready as soon as the shutdown begins', async () => {
    const health = new HealthRegistry();
    health.beginShutdown();
    expect((await health.readiness()).status).toBe('stopping');
  });
});
