import { Injectable } from '@nestjs/common';
import { EventLog, type RawMessage } from './event-log';

/** A dead-letter topic has one partition: few messages, read by people. */
const PARTITION = 0;
/**
 * A dead letter is a message plus headers, so it can be larger than any message that the message's
 * own topic takes. The limit is that of a request to a Kafka broker.
 */
const MAX_LETTER_BYTES = 104_857_600;

export interface DeadLetter {
  /** Its offset in the dead-letter topic. */
  readonly offset: number;
  readonly topic: string;
  readonly group: string;
  readonly partition: number;
  readonly originalOffset: number;
  readonly reason: string;
  /** When it was dead-lettered, in milliseconds since the epoch. */
  readonly at: number;
  readonly key: string | null;
  readonly value: Buffer;
}

export const deadLetterTopic = (topic: string): string => `${topic}.dlq`;

/** Messages that could not be handled, kept for operators with their origin and the reason. */
@Injectable()
export class DeadLetters {
  constructor(private readonly log: EventLog) {}

  /** Keeps a message that the group could not handle. */
  async bury(topic: string, group: string, message: RawMessage, reason: string): Promise<void> {
    const name = deadLetterTopic(topic);
    await this.log.ensureTopic(name, 1, MAX_LETTER_BYTES);
    await this.log.append(name, 'all', [
      {
        key: message.key,
        value: message.value,
        partition: PARTITION,
        headers: {
          'x-original-topic': topic,
          'x-original-partition': String(message.partition),
          'x-original-offset': String(message.offset),
          'x-group': group,
          'x-reason': reason.slice(0, 1_000),
        },
      },
    ]);
  }

  /** The newest dead letters of the topic, at most `limit`, the oldest first. */
  async list(topic: string, limit: number): Promise<DeadLetter[]> {
    const name = deadLetterTopic(topic);
    if ((await this.log.partitionsOf(name)) === 0) return [];
    const messages = await this.log.newest(name, PARTITION, limit);
    return messages.map(deadLetterOf);
  }

  /**
   * Publishes a dead letter's message again, to the partition that it came from. Every group of the
   * topic receives it.
   * @returns false when the topic has no dead letter at this offset
   */
  async republish(topic: string, offset: number): Promise<boolean> {
    const name = deadLetterTopic(topic);
    if ((await this.log.partitionsOf(name)) === 0) return false;
    const [end = 0] = await this.log.endOffsets(name);
    if (offset < 0 || offset >= end) return false;
    const [message] = await this.log.read(name, PARTITION, offset, 1);
    if (!message || message.offset !== offset) return false;
    const { key, value, partition } = deadLetterOf(message);
    await this.log.append(topic, 'all', [{ key, value, partition }]);
    return true;
  }
}

function deadLetterOf({ offset, headers, timestamp, key, value }: RawMessage): DeadLetter {
  return {
    offset,
    topic: headers['x-original-topic'] ?? '',
    group: headers['x-group'] ?? '',
    partition: Number(headers['x-original-partition'] ?? 0),
    originalOffset: Number(headers['x-original-offset'] ?? -1),
    reason: headers['x-reason'] ?? '',
    at: timestamp,
    key,
    value,
  };
}
