import { existsSync, readFileSync } from 'node:fs';
import { Injectable, Logger } from '@nestjs/common';
import { Environment, InvalidEnvironmentError } from '../platform/config';
import { EventLog } from './event-log';
import type { Topic } from './topic';

/** Canal's settings contradict a topic's contract: the program must not start. */
export class PartitionMismatchError extends InvalidEnvironmentError {}

/** Creates each topic with the partitions of its contract before anything uses it. */
@Injectable()
export class TopicProvisioner {
  private readonly logger = new Logger('Topics');
  private readonly ensured = new Map<string, Promise<void>>();
  private readonly wanted = new Set<Topic<unknown>>();

  constructor(
    private readonly log: EventLog,
    private readonly environment: Environment,
  ) {}

  /**
   * Compares the contract with Canal's own configuration, when CANAL_PROPERTIES names its file.
   * @throws PartitionMismatchError with both numbers: otherwise Canal would silently send to
   * partitions that the topic does not have, or leave some unused
   */
  checkAgainstCanal(topic: Topic<unknown>): void {
    const path = this.environment.CANAL_PROPERTIES;
    if (!path) return;
    if (!existsSync(path))
      throw new PartitionMismatchError(
        `CANAL_PROPERTIES is ${path}, but there is no such file: set it to Canal's instance.properties, or unset it.`,
      );
    const properties = readProperties(readFileSync(path, 'utf8'));
    if (properties.get('canal.mq.topic') !== topic.name) return;
    const hashed = Number(properties.get('canal.mq.partitionsNum') ?? 1);
    if (hashed !== topic.partitions)
      throw new PartitionMismatchError(
        `Topic ${topic.name} has ${topic.partitions} partitions by its contract, but Canal hashes to ${hashed} (canal.mq.partitionsNum in ${path}): set canal.mq.partitionsNum=${topic.partitions} and restart Canal.`,
      );
  }

  /** Creates the topic or raises its partitions. Asks the log only once, until `forget`. */
  ensure(topic: Topic<unknown>): Promise<void> {
    this.wanted.add(topic);
    let ensured = this.ensured.get(topic.name);
    if (!ensured) {
      ensured = this.provision(topic.name, topic.partitions);
      this.ensured.set(topic.name, ensured);
      ensured.catch(() => this.ensured.delete(topic.name));
    }
    return ensured;
  }

  /** Makes the next `ensure` ask the log again: an append failed, so the topic may be deleted. */
  forget(topic: Topic<unknown>): void {
    this.ensured.delete(topic.name);
  }

  /** Resolves when every topic that was passed to `ensure` so far exists. */
  async ready(): Promise<void> {
    await Promise.all([...this.wanted].map((topic) => this.ensure(topic)));
  }

  private async provision(name: string, partitions: number): Promise<void> {
    const before = await this.log.partitionsOf(name);
    const now = await this.log.ensureTopic(name, partitions);
    if (before > 0 && before < now)
      this.logger.warn(
        `Topic ${name} had ${before} partitions, raised to ${now} as its contract says`,
      );
    else if (now > partitions)
      this.logger.warn(
        `Topic ${name} has ${now} partitions; its contract says ${partitions}, so the others are not used`,
      );
  }
}

function readProperties(text: string): Map<string, string> {
  const properties = new Map<string, string>();
  for (const line of text.split('\n')) {
    const match = /^\s*([^#!\s][^=:\s]*)\s*[=:]\s*(.*?)\s*$/.exec(line);
    if (match?.[1] !== undefined && match[2] !== undefined) properties.set(match[1], match[2]);
  }
  return properties;
}
