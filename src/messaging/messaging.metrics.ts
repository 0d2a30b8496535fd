import { Injectable } from '@nestjs/common';
import { Counter, Gauge } from 'prom-client';
import { withTimeout } from '../platform/timing';
import { ConsumerWaits } from './consumer-waits';
import { EventLog } from './event-log';
import type { Subscription } from './subscribe.decorator';

const labelNames = ['group', 'topic'] as const;

/** The log may hang: after this time the metrics are answered without the lag. */
const LAG_TIMEOUT_MS = 1_000;

/** For operators: how many messages were handled, what failed or waits, and the lag of each group. */
@Injectable()
export class MessagingMetrics {
  readonly handled = new Counter({
    name: 'webook_messages_handled_total',
    help: 'Messages that a consumer group has handled',
    labelNames,
  });
  readonly retries = new Counter({
    name: 'webook_batch_retries_total',
    help: 'Attempts to handle a batch that failed and were repeated',
    labelNames,
  });
  readonly deadLetters = new Counter({
    name: 'webook_dead_letters_total',
    help: 'Messages moved to the dead letters because they could not be handled',
    labelNames,
  });
  readonly waits = new ConsumerWaits();
  private readonly subscriptions: Subscription[] = [];

  constructor(log: EventLog) {
    const { subscriptions } = this;
    new Gauge({
      name: 'webook_consumer_lag',
      help: 'Messages in the log that the group has not handled yet',
      labelNames: ['group', 'topic', 'partition'],
      async collect() {
        const updates = subscriptions.map(async ({ group, topic }) => {
          const lag = await log.lag(group, topic.name);
          lag.forEach((messages, partition) =>
            this.set({ group, topic: topic.name, partition }, messages),
          );
        });
        // /readyz reports a log that is away; the other metrics must be answered nevertheless.
        await withTimeout(LAG_TIMEOUT_MS, Promise.allSettled(updates)).catch(() => undefined);
      },
    });
  }

  watch(subscription: Subscription): void {
    this.subscriptions.push(subscription);
  }
}
