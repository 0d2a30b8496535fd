import { Logger } from '@nestjs/common';
import { type Consumer, type EachBatchPayload, type Kafka, KafkaJSProtocolError } from 'kafkajs';
import type { ConsumeOptions, PartitionHandler, RunningConsumer } from '../event-log';
import { PartitionWorker } from '../partition-worker';
import { rawMessage } from './raw-message';

const HEARTBEAT_INTERVAL = 1_000;
/** Milliseconds before a member that has crashed joins anew: doubled each time, up to the second. */
const RESTART = 1_000;
const LONGEST_RESTART = 30_000;
/** Milliseconds that a commit or the leave may take: of Kafka nothing more is needed then. */
const PATIENCE = 5_000;

interface OwnedPartition {
  readonly worker: PartitionWorker;
  /** The offset behind what was fetched last. */
  position: number;
}

/**
 * One member of a Kafka group. What is fetched goes to a worker per partition, so that batches form
 * across fetches; offsets are committed behind what the workers have handled, never behind fetches.
 */
export class KafkaConsumer implements RunningConsumer {
  /** What keeps this member from reading, until it reads again. */
  fault: Error | undefined;
  private readonly logger = new Logger('Kafka');
  private consumer: Consumer | undefined;
  private owned = new Map<number, OwnedPartition>();
  /** From joining a generation to leaving it: what is fetched outside would leave a gap behind it. */
  private belongs = false;
  /** Whether no fetch is under way: all have ended, and none has begun since. */
  private isQuiet = true;
  /** Ends when the workers of the generation before have ended. */
  private before: Promise<void> = Promise.resolve();
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
    // The workers first: while they end, the member is still in its group and may commit.
    this.endGeneration();
    await this.before;
    const leave = this.starting.then(() => this.consumer?.disconnect());
    await within(PATIENCE, leave).catch((error: unknown) =>
      this.logger.debug(`${this.options.group} could not leave: ${String(error)}`),
    );
  }

  private createConsumer(): Consumer {
    const consumer = this.kafka.consumer({
      groupId: this.options.group,
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
        restartOnFailure: () => Promise.resolve(!this.stopping),
      },
    });
    const { REBALANCING, GROUP_JOIN, FETCH_START, FETCH, CRASH } = consumer.events;
    consumer.on(REBALANCING, () => {
      this.isQuiet = true;
    });
    consumer.on(FETCH_START, () => {
      this.isQuiet = false;
    });
    consumer.on(GROUP_JOIN, () => {
      this.endGeneration();
      // KafkaJS also joins inside of a fetch, one that finds another leader or more partitions. Those
      // from other brokers go on meanwhile: they were asked for behind what was dropped just now.
      this.belongs = this.isQuiet && !this.stopping;
    });
    consumer.on(FETCH, () => this.onRead());
    consumer.on(CRASH, ({ payload: { error, restart } }) => {
      this.isQuiet = true;
      if (!restart) this.onCrash(error);
    });
    return consumer;
  }

  private onRead(): void {
    if (!this.fault) return;
    this.logger.log(`${this.options.group} reads ${this.options.topic} again`);
    this.fault = undefined;
    this.crashes = 0;
  }

  /** KafkaJS begins anew by itself after errors that pass, and ends for good after any other. */
  private onCrash(error: Error): void {
    if (this.stopping) return;
    const { group, topic } = this.options;
    const pause = Math.min(LONGEST_RESTART, RESTART * 2 ** this.crashes++);
    this.fault = new Error(`${group} cannot read ${topic}: ${error.message}`, { cause: error });
    this.logger.error(`${this.fault.message}; it joins anew in ${pause} ms`);
    this.endGeneration();
    this.restart = setTimeout(() => {
      this.starting = this.start().catch((cause: Error) => this.onCrash(cause));
    }, pause);
  }

  /** What its workers have not handled is fetched anew from the committed offsets. */
  private endGeneration(): void {
    this.belongs = false;
    this.endWorkers([...this.owned.keys()]);
  }

  private endWorkers(partitions: readonly number[]): void {
    const ending = partitions.map((partition) => {
      const owned = this.owned.get(partition);
      this.owned.delete(partition);
      return owned?.worker.stop();
    });
    this.before = Promise.all([this.before, ...ending]).then(() => undefined);
  }

  private async onFetch(payload: EachBatchPayload): Promise<void> {
    const { batch, resolveOffset, heartbeat } = payload;
    const { partition } = batch;
    if (this.stopping) return this.beatUntil(this.before, heartbeat);
    if (!this.belongs) throw new RejoinError();
    const first = Number(batch.messages[0]?.offset);
    if (first < (this.owned.get(partition)?.position ?? 0)) {
      this.logger.warn(`${batch.topic}/${partition} was made anew: it goes on at ${first}`);
      this.endWorkers([partition]);
    }
    const owned = this.owned.get(partition) ?? this.own(payload);
    const room = owned.worker.push(batch.messages.map((message) => rawMessage(partition, message)));
    owned.position = Number(batch.lastOffset()) + 1;
    // Resolved means fetched here: the commits are the worker's.
    resolveOffset(batch.lastOffset());
    await this.beatUntil(room, heartbeat);
  }

  private own({ batch, commitOffsetsIfNecessary }: EachBatchPayload): OwnedPartition {
    const { topic, size, lingerMs } = this.options;
    const { partition } = batch;
    const worker = new PartitionWorker({
      size,
      lingerMs,
      after: this.before,
      start: (stopping) => this.handler.onStart(topic, partition, stopping),
      handle: (messages, stopping) => this.handler.onMessages(topic, messages, stopping),
      commit: (offset) => this.commit(commitOffsetsIfNecessary, partition, offset),
    });
    const owned = { worker, position: 0 };
    this.owned.set(partition, owned);
    return owned;
  }

  /**
   * By the payload's function, which tries once: the consumer's own tries for ever, beside what is
   * committed meanwhile, and would set the group back to where it was.
   */
  private async commit(
    commitOnce: EachBatchPayload['commitOffsetsIfNecessary'],
    partition: number,
    offset: number,
  ): Promise<boolean> {
    const { topic, group } = this.options;
    const partitions = [{ partition, offset: String(offset) }];
    try {
      await within(PATIENCE, commitOnce({ topics: [{ topic, partitions }] }));
      return true;
    } catch (error) {
      // A rebalance or an absent broker: another member may handle it all again.
      this.logger.debug(`${group} could not commit ${topic}/${partition}: ${String(error)}`);
      return false;
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

/** What a heartbeat throws during a rebalance: KafkaJS then ends every fetch before it joins anew. */
class RejoinError extends KafkaJSProtocolError {
  override readonly type = 'REBALANCE_IN_PROGRESS';

  constructor() {
    super('joined while a fetch was under way');
  }
}

/** @throws when the work takes longer; it is left to itself then */
async function within<T>(milliseconds: number, work: Promise<T> | undefined): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`no answer within ${milliseconds} ms`)),
      milliseconds,
    );
  });
  try {
    await Promise.race([work, tooLong]);
  } finally {
    clearTimeout(timer);
  }
}
