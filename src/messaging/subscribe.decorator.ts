import { applyDecorators, UseFilters } from '@nestjs/common';
import { EventPattern, Transport } from '@nestjs/microservices';
import { RethrowFilter } from './rethrow.filter';
import type { Topic } from './topic';

export interface SubscriptionOptions {
  /** Consumer group: each group receives every message, its members share the partitions. */
  group: string;
  /** At most `size` messages per call, waiting up to `lingerMs` for more; 1 and 0 by default. */
  batch?: { size: number; lingerMs: number };
}

/** The options of a `@Subscribe` method, as `LogServer` reads them from Nest's handler. */
export interface Subscription extends Required<SubscriptionOptions> {
  topic: Topic<unknown>;
}

/** By topic, the groups that read it, in whichever process. */
const groups = new Map<string, Set<string>>();

/** The groups of all subscriptions to the topic, also of those that do not run in this process. */
export const groupsOf = ({ name }: { readonly name: string }): string[] => [
  ...(groups.get(name) ?? []),
];

/**
 * Makes a controller's method a consumer: it is called with a `MessageBatch` of one partition, and
 * the group's offset advances only after the method has returned. The pattern contains the group,
 * since Nest chains handlers of an equal pattern.
 */
export function Subscribe<Payload>(
  topic: Topic<Payload>,
  options: SubscriptionOptions,
): MethodDecorator {
  const subscription = { batch: { size: 1, lingerMs: 0 }, ...options, topic };
  groups.set(topic.name, new Set(groupsOf(topic)).add(options.group));
  return applyDecorators(
    EventPattern<string>(`${topic.name}@${options.group}`, Transport.KAFKA, { subscription }),
    UseFilters(RethrowFilter),
  );
}
