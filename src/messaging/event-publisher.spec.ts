import { Environment } from '../platform/config';
import { UnavailableError } from '../platform/errors';
import type { EventLog, OutgoingMessage } from './event-log';
import { EventPublisher } from './event-publisher';
import { EventTooLargeError } from './event-too-large.error';
import { defineTopic, MAX_MESSAGE_BYTES } from './topic';
import { TopicProvisioner } from './topic-provisioner';

const topic = defineTopic<{ text: string }>({
  name: 'texts',
  partitions: 1,
  acks: 'all',
  key: () => 'k',
  schema: {},
});

describe('EventPublisher', () => {
  /** Whether the log has the topic, and how often it was created. */
  let exists: boolean;
  let created: number;
  let appended: string[];
  let publisher: EventPublisher;

  beforeEach(() => {
    exists = false;
    created = 0;
    appended = [];
    const log: Partial<EventLog> = {
      partitionsOf: () => Promise.resolve(exists ? 1 : 0),
      ensureTopic: (_, partitions) => {
        exists = true;
        created++;
        return Promise.resolve(partitions);
      },
      append: (_, __, messages: readonly OutgoingMessage[]) => {
        if (!exists) return Promise.reject(new UnavailableError('log', 'unknown topic'));
        appended.push(...messages.map(({ value }) => value.toString()));
        return Promise.resolve();
      },
    };
    const provisioner = new TopicProvisioner(log as EventLog, new Environment());
    publisher = new EventPublisher(log as EventLog, provisioner);
  });

  it('refuses only the event that is too large', async () => {
    const outcomes = await Promise.allSettled([
      publisher.publish(topic, { text: 'before' }),
      publisher.publish(topic, { text: 'x'.repeat(MAX_MESSAGE_BYTES) }),
      publisher.publish(topic, { text: 'after' }),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    const refusal = (outcomes[1] as PromiseRejectedResult).reason as EventTooLargeError;
    expect(refusal).toBeInstanceOf(EventTooLargeError);
    expect(refusal).toMatchObject({ status: 413, code: 'EVENT_TOO_LARGE' });
    expect(refusal.message).toBe('an event of texts has 1000012 bytes, more than 1000000');
    expect(appended).toEqual(['{"text":"before"}', '{"text":"after"}']);
  });

  it('creates a deleted topic again', async () => {
    await publisher.publish(topic, { text: 'one' });
    await publisher.publish(topic, { text: 'two' });
    expect(created).toBe(1);

    exists = false;
    await expect(publisher.publish(topic, { text: 'refused' })).rejects.toThrow(UnavailableError);
    await publisher.publish(topic, { text: 'three' });
    expect(created).toBe(2);
    expect(appended).toEqual(['one', 'two', 'three'].map((text) => JSON.stringify({ text })));
  });
});
