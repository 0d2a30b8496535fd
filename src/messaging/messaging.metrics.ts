import { Injectable } from '@nestjs/common';
import { Counter, Gauge } from 'prom-client';
import { EventLog } from './event-log';
import type { Subscription } from './subscribe.decorator';

const labelNames = ['group', 'topic'] as const;

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
        for (const { group, topic } of subscriptions)
          try {
            const [ends, committed] = await Promise.all([
              log.endOffsets(topic.name),
              log.committedOffsets(group, topic.name),
            ]);
            ends.forEach((end, partition) =>
              this.set(
                { group, topic: topic.name, partition },
                Math.max(0, end - (committed[partition] ?? 0)),
              ),
            );
          } catch {
            // The log is away, which /readyz tells; the rest of the metrics must still be answered.
          }
      },
    });
  }

  watch(subscription: Subscription): void {
    this.subscriptions.push(subscription);
  }
}
