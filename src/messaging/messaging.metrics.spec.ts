import { register } from 'prom-client';
import type { EventLog } from './event-log';
import { MessagingMetrics } from './messaging.metrics';
import type { Subscription } from './subscribe.decorator';

describe('MessagingMetrics', () => {
  afterEach(() => register.clear());

  const watchAll = (log: Partial<EventLog>): void => {
    const metrics = new MessagingMetrics(log as EventLog);
    for (const name of ['first', 'second'])
      metrics.watch({ group: 'g', topic: { name } } as Subscription);
  };

  it('gives the lag of each group in each partition', async () => {
    watchAll({ lag: async () => [0, 7] });
    const text = await register.metrics();
    expect(text).toContain('webook_consumer_lag{group="g",topic="second",partition="0"} 0');
    expect(text).toContain('webook_consumer_lag{group="g",topic="second",partition="1"} 7');
  });

  it('waits at most a second for a log that hangs, however many groups there are', async () => {
    jest.useFakeTimers();
    try {
      watchAll({ lag: () => new Promise(() => undefined) });
      const metrics = register.metrics();
      await jest.advanceTimersByTimeAsync(1_000);
      expect(await metrics).toContain('webook_messages_handled_total');
    } finally {
      jest.useRealTimers();
    }
  });

  it('answers without the lag of a log that is away', async () => {
    watchAll({ lag: () => Promise.reject(new Error('away')) });
    expect(await register.metrics()).not.toContain('webook_consumer_lag{');
  });
});
