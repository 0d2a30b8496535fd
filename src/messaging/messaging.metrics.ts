import { Injectable } from '@nestjs/common';
import { Counter, Gauge } from 'prom-client';
import { EventLog } from './event-log';
import type { Subscription } from './subscribe.decorator';

const labelNames = ['group', 'topic'] as const;

/** Milliseconds that the log gets to tell how far the groups are; it may hang. */
const PATIENCE = 1_000;

/** What an operator watches: how much was handled, what failed, and how far the groups lag. */
@Injectable()
export class MessagingMetrics {
  readonly handled = new Counter({
    name: 'webook_messages_handled_total',
    help: 'Messages that a consumer group has handled',
    labelNames,
  });
  readonly retries = new Counter({
    name: 'webook_batch_retries_total',
    help: 'Attempts that failed and were tried again',
    labelNames,
  });
  readonly deadLetters = new Counter({
    name: 'webook_dead_letters_total',
    help: 'Messages put aside since they could not be handled',
    labelNames,
  });
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
        // A log that is away is told by /readyz; the rest of the metrics must still be answered.
        await withinPatience(Promise.allSettled(updates));
      },
    });
  }

  watch(subscription: Subscription): void {
    this.subscriptions.push(subscription);
  }
}

async function withinPatience(work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise((resolve) => {
    timer = setTimeout(resolve, PATIENCE);
  });
  await Promise.race([work, timeout]);
  clearTimeout(timer);
}
