import { Logger } from '@nestjs/common';
import { type Consumer, type EachBatchPayload, type Kafka, KafkaJSProtocolError } from 'kafkajs';
import { pause, withTimeout } from '../../platform/timing';
import type { ConsumeOptions, PartitionHandler, RunningConsumer } from '../event-log';
import { PartitionWorker } from '../partition-worker';
import { rawMessage } from './raw-message';

const HEARTBEAT_INTERVAL_MS = 1_000;
/** Wait before a crashed member joins again; doubled after each crash, up to the maximum. */
const FIRST_REJOIN_DELAY_MS = 1_000;
const MAX_REJOIN_DELAY_MS = 30_000;
/** A commit can be repeated, and leaving only speeds up a rebalance: not worth more time. */
const COMMIT_TIMEOUT_MS = 5_000;
const LEAVE_TIMEOUT_MS = 5_000;

type CommitOnce = EachBatchPayload['commitOffsetsIfNecessary'];

interface OwnedPartition {
  readonly worker: PartitionWorker;
  /** The offset after what was fetched last. */
  position: number;
  commitOnce: CommitOnce;
}

/**
 * One member of a Kafka group. Each partition has a worker that receives its fetched messages, so
 * that a batch can span several fetches. Only offsets that the workers have handled are committed.
 */
export class KafkaConsumer implements RunningConsumer {
  /** Why this member cannot read; undefined while it reads. */
  fault: Error | undefined;
  private readonly logger = new Logger('Kafka');
  private consumer: Consumer | undefined;
  private owned = new Map<number, OwnedPartition>();
  /** Between joining and leaving a generation. Messages fetched outside would follow a gap. */
  private isInGeneration = false;
  /** Whether no fetch is running. */
  private hasNoFetch = true;
  /** Resolves when the workers of the previous generation have ended. */
  private previousWorkers: Promise<void> = Promise.resolve();
  private crashes = 0;
  private restart: NodeJS.Timeout | undefined;
  private starting: Promise<void> = Promise.resolve();
  private stopping = false;

  constructor(
    private readonly kafka: Kafka,
    private readonly options: ConsumeOptions,
    private readonly handler: PartitionHandler,
  ) {}

  async start(): Promise<void> {
    const consumer = this.createConsumer();
    this.consumer = consumer;
    try {
      await consumer.connect();
      await consumer.subscribe({ topics: [this.options.topic], fromBeginning: true });
      await consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: 16,
        eachBatch: (payload) => this.onFetch(payload),
      });
    } catch (error) {
      await consumer.disconnect().catch(() => undefined);
      throw error;
    }
  }

  async stop(): Promise<void> {
    this.stopping = true;
    clearTimeout(this.restart);
    // The workers end first: the member is still in its group and may commit.
    this.endGeneration();
    await this.previousWorkers;
    const leave = this.starting.then(() => this.consumer?.disconnect());
    await withTimeout(LEAVE_TIMEOUT_MS, leave).catch((error: unknown) =>
      this.logger.debug(`Group ${this.options.group} could not be left: ${String(error)}`),
    );
  }

  private createConsumer(): Consumer {
    const consumer = this.kafka.consumer({
      groupId: this.options.group,
      sessionTimeout: 10_000,
      rebalanceTimeout: 15_000,
      heartbeatInterval: HEARTBEAT_INTERVAL_MS,
      // Small, since a stop waits for the running poll. A poll is answered at the first byte.
      maxWaitTimeInMs: 250,
      minBytes: 1,
      maxBytesPerPartition: 4_194_304,
      metadataMaxAge: 10_000,
      allowAutoTopicCreation: false,
      // Never gives up, however long the brokers are away.
      retry: {
        retries: 1_000_000,
        initialRetryTime: 100,
        maxRetryTime: 2_000,
        restartOnFailure: () => Promise.resolve(!this.stopping),
      },
    });
    const { REBALANCING, GROUP_JOIN, FETCH_START, FETCH, END_BATCH_PROCESS, CRASH } =
      consumer.events;
    consumer.on(REBALANCING, () => {
      this.hasNoFetch = true;
    });
    consumer.on(FETCH_START, () => {
      this.hasNoFetch = false;
    });
    consumer.on(GROUP_JOIN, () => {
      this.endGeneration();
      // KafkaJS also joins during a fetch that finds another leader or more partitions. Fetches
      // from other brokers then still run, and their messages would follow those that were just
      // dropped.
      this.isInGeneration = this.hasNoFetch && !this.stopping;
    });
    consumer.on(FETCH, () => this.onRead());
    consumer.on(END_BATCH_PROCESS, ({ payload: { batchSize, partition, lastOffset } }) => {
      if (batchSize === 0) this.onFiltered(consumer, partition, Number(lastOffset) + 1);
    });
    consumer.on(CRASH, ({ payload: { error, restart } }) => {
      this.hasNoFetch = true;
      if (!restart) this.onCrash(error);
    });
    return consumer;
  }

  private onRead(): void {
    if (!this.fault) return;
    this.logger.log(`Group ${this.options.group} reads ${this.options.topic} again`);
    this.fault = undefined;
    this.handler.onFault?.(undefined);
    this.crashes = 0;
  }

  /** After an error that KafkaJS does not recover from by itself. */
  private onCrash(error: Error): void {
    if (this.stopping) return;
    const { group, topic } = this.options;
    const delayMs = Math.min(MAX_REJOIN_DELAY_MS, FIRST_REJOIN_DELAY_MS * 2 ** this.crashes++);
    this.fault = new Error(`Group ${group} cannot read ${topic}: ${error.message}`, {
      cause: error,
    });
    this.handler.onFault?.(this.fault);
    this.logger.error(`${this.fault.message}; joining the group again in ${delayMs} ms`);
    this.endGeneration();
    this.restart = setTimeout(() => {
      this.starting = this.start().catch((cause: Error) => this.onCrash(cause));
    }, delayMs);
  }

  /** Messages that its workers have not handled are fetched again, from the committed offsets. */
  private endGeneration(): void {
    this.isInGeneration = false;
    this.endWorkers([...this.owned.keys()]);
  }

  private endWorkers(partitions: readonly number[]): void {
    const ending = partitions.map((partition) => {
      const owned = this.owned.get(partition);
      this.owned.delete(partition);
      return owned?.worker.stop();
    });
    this.previousWorkers = Promise.all([this.previousWorkers, ...ending]).then(() => undefined);
  }

  private async onFetch(payload: EachBatchPayload): Promise<void> {
    const { batch, resolveOffset, heartbeat, commitOffsetsIfNecessary } = payload;
    const { partition } = batch;
    if (this.stopping) return this.heartbeatUntil(this.previousWorkers, heartbeat);
    if (!this.isInGeneration) throw new RejoinError();
    const first = Number(batch.messages[0]?.offset);
    if (first < (this.owned.get(partition)?.position ?? 0)) {
      this.logger.warn(`${batch.topic}/${partition} was recreated: continuing at offset ${first}`);
      this.endWorkers([partition]);
    }
    const owned = this.owned.get(partition) ?? this.own(partition, commitOffsetsIfNecessary);
    owned.commitOnce = commitOffsetsIfNecessary;
    const room = owned.worker.push(batch.messages.map((message) => rawMessage(partition, message)));
    owned.position = Number(batch.lastOffset()) + 1;
    // Behind the last message there may be records of an aborted transaction.
    owned.worker.passOver(owned.position);
    // For KafkaJS this only means that the messages were fetched: the worker commits.
    resolveOffset(batch.lastOffset());
    await this.heartbeatUntil(room, heartbeat);
  }

  /**
   * What was fetched has no messages, only the records of aborted transactions and their ends. The
   * group moves past them, since otherwise they would count as lag until the next message.
   */
  private onFiltered(consumer: Consumer, partition: number, nextOffset: number): void {
    if (!this.isInGeneration) return;
    const owned =
      this.owned.get(partition) ??
      this.own(partition, async (offsets) => {
        // KafkaJS passes a function that tries only once with messages alone.
        await consumer.commitOffsets(
          (offsets?.topics ?? []).flatMap(({ topic, partitions }) =>
            partitions.map((each) => ({ topic, ...each })),
          ),
        );
      });
    owned.position = nextOffset;
    owned.worker.passOver(nextOffset);
  }

  private own(partition: number, commitOnce: CommitOnce): OwnedPartition {
    const { topic, size, lingerMs } = this.options;
    const worker = new PartitionWorker({
      size,
      lingerMs,
      after: this.previousWorkers,
      start: (stopping) => this.handler.onStart(topic, partition, stopping),
      handle: (messages, stopping, following) =>
        this.handler.onMessages(topic, messages, stopping, following),
      commit: (offset) => this.commit(owned.commitOnce, partition, offset),
    });
    const owned: OwnedPartition = { worker, position: 0, commitOnce };
    this.owned.set(partition, owned);
    return owned;
  }

  /**
   * Uses the payload's function, which tries once. The consumer's own function tries for ever: a
   * late success could set the group back before what was committed since.
   */
  private async commit(
    commitOnce: CommitOnce,
    partition: number,
    offset: number,
  ): Promise<boolean> {
    const { topic, group } = this.options;
    const partitions = [{ partition, offset: String(offset) }];
    try {
      await withTimeout(COMMIT_TIMEOUT_MS, commitOnce({ topics: [{ topic, partitions }] }));
      return true;
    } catch (error) {
      // A rebalance or an absent broker: another member may handle the messages again.
      this.logger.debug(`Group ${group} could not commit ${topic}/${partition}: ${String(error)}`);
      return false;
    }
  }

  /** Waits for `work` without losing the membership. */
  private async heartbeatUntil(work: Promise<void>, heartbeat: () => Promise<void>): Promise<void> {
    const done = new AbortController();
    const ended = work.then(() => done.abort());
    await heartbeat();
    while (!done.signal.aborted) {
      await Promise.race([ended, pause(HEARTBEAT_INTERVAL_MS, done.signal)]);
      if (!done.signal.aborted) await heartbeat();
    }
  }
}

/** Like that of a heartbeat in a rebalance: KafkaJS ends every fetch before it joins again. */
class RejoinError extends KafkaJSProtocolError {
  override readonly type = 'REBALANCE_IN_PROGRESS';

  constructor() {
    super('joined the group during a fetch');
  }
}
