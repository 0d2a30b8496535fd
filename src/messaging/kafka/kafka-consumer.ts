import { Logger } from '@nestjs/common';
import type { Consumer, EachBatchPayload, Kafka } from 'kafkajs';
import type { ConsumeOptions, PartitionHandler, RunningConsumer } from '../event-log';
import { PartitionWorker } from '../partition-worker';
import { rawMessage } from './raw-message';

const HEARTBEAT_INTERVAL = 1_000;

/**
 * One member of a Kafka group. What is fetched goes to a worker per partition, so that batches form
 * across fetches; offsets are committed behind what the workers have handled, never behind fetches.
 */
export class KafkaConsumer implements RunningConsumer {
  private readonly logger = new Logger('Kafka');
  private readonly consumer: Consumer;
  private workers = new Map<number, PartitionWorker>();
  /** Ends when the workers of the generation before have ended. */
  private before: Promise<void> = Promise.resolve();

  constructor(
    kafka: Kafka,
    private readonly options: ConsumeOptions,
    private readonly handler: PartitionHandler,
  ) {
    this.consumer = kafka.consumer({
      groupId: options.group,
      sessionTimeout: 10_000,
      rebalanceTimeout: 15_000,
      heartbeatInterval: HEARTBEAT_INTERVAL,
      // Small, since a stop waits for the poll that is under way; answers come at the first byte.
      maxWaitTimeInMs: 250,
      minBytes: 1,
      maxBytesPerPartition: 4_194_304,
      metadataMaxAge: 10_000,
      allowAutoTopicCreation: false,
      // Never gives up: the brokers may be away for as long as they like.
      retry: {
        retries: 1_000_000,
        initialRetryTime: 100,
        maxRetryTime: 2_000,
        restartOnFailure: () => Promise.resolve(true),
      },
    });
  }

  async start(): Promise<void> {
    const { consumer } = this;
    consumer.on(consumer.events.GROUP_JOIN, () => this.beginGeneration());
    await consumer.connect();
    await consumer.subscribe({ topics: [this.options.topic], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: 16,
      eachBatch: (payload) => this.onFetch(payload),
    });
  }

  async stop(): Promise<void> {
    // The workers first: while they end, the member still belongs to its group and may commit.
    await Promise.all([...this.workers.values()].map((worker) => worker.stop()));
    await this.consumer.disconnect();
  }

  /** After a rebalance everything is fetched anew from the committed offsets. */
  private beginGeneration(): void {
    const ending = [...this.workers.values()].map((worker) => worker.stop());
    this.workers = new Map();
    this.before = Promise.all([this.before, ...ending]).then(() => undefined);
  }

  private async onFetch(payload: EachBatchPayload): Promise<void> {
    const { batch, resolveOffset, heartbeat, isRunning, isStale } = payload;
    if (!isRunning() || isStale()) return;
    const worker = this.workers.get(batch.partition) ?? this.startWorker(batch.partition);
    const room = worker.push(batch.messages.map((message) => rawMessage(batch.partition, message)));
    // Resolved means fetched here: the commits are the worker's.
    resolveOffset(batch.lastOffset());
    await this.beatUntil(room, heartbeat);
  }

  private startWorker(partition: number): PartitionWorker {
    const { topic, size, lingerMs } = this.options;
    const worker = new PartitionWorker({
      size,
      lingerMs,
      after: this.before,
      start: (stopping) => this.handler.onStart(topic, partition, stopping),
      handle: (messages, stopping) => this.handler.onMessages(topic, messages, stopping),
      commit: (offset) => this.commit(partition, offset),
    });
    this.workers.set(partition, worker);
    return worker;
  }

  private async commit(partition: number, offset: number): Promise<void> {
    const { topic, group } = this.options;
    try {
      await this.consumer.commitOffsets([{ topic, partition, offset: String(offset) }]);
    } catch (error) {
      // A rebalance or an absent broker: the messages come again, and their effects are fenced.
      this.logger.debug(`${group} could not commit ${topic}/${partition}: ${String(error)}`);
    }
  }

  /** Waits without losing the membership. */
  private async beatUntil(room: Promise<void>, heartbeat: () => Promise<void>): Promise<void> {
    let done = false;
    const finished = room.then(() => {
      done = true;
    });
    await heartbeat();
    while (!done) {
      let timer: NodeJS.Timeout | undefined;
      const tick = new Promise((resolve) => (timer = setTimeout(resolve, HEARTBEAT_INTERVAL)));
      await Promise.race([finished, tick]);
      clearTimeout(timer);
      if (!done) await heartbeat();
    }
  }
}
