import type { Acks } from './topic';

/** A message as the log holds it. */
export interface RawMessage {
  readonly key: string | null;
  readonly value: Buffer;
  readonly partition: number;
  readonly offset: number;
  /** Milliseconds since the epoch at which the log took it. */
  readonly timestamp: number;
  readonly headers: Readonly<Record<string, string>>;
}

export interface OutgoingMessage {
  readonly key: string | null;
  readonly value: Buffer;
  readonly partition: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What an engine calls while it consumes for one group. */
export interface PartitionHandler {
  /**
   * The partition became this member's own, or its log was made anew: what comes next starts at or
   * before the committed offset.
   */
  onStart(topic: string, partition: number, stopping: AbortSignal): Promise<void>;
  /** Handles messages of one partition to their end; its offset is committed only afterwards. */
  onMessages(topic: string, messages: readonly RawMessage[], stopping: AbortSignal): Promise<void>;
}

export interface ConsumeOptions {
  readonly topic: string;
  readonly group: string;
  /** At most this many messages a call of the handler. */
  readonly size: number;
  /** Milliseconds to wait for more before a call with fewer. */
  readonly lingerMs: number;
}

export interface RunningConsumer {
  /** Ends the intake, waits for the running batches and commits their offsets. */
  stop(): Promise<void>;
}

/**
 * The event log behind the program, one implementation an engine: partitioned topics whose messages
 * keep their order and offset, and consumer groups that remember how far they have come.
 * Every method rejects when the log cannot be reached.
 */
export abstract class EventLog {
  /** What tells this log from any other, also from one made anew in its place. */
  abstract id(): Promise<string>;
  /**
   * Whether `id` changes with every topic that is made anew. Then a partition that ends before what
   * was handled has lost its tail in a crash; otherwise it must be taken for another one.
   */
  abstract readonly idTellsContent: boolean;
  /**
   * Makes the topic, or raises its partitions to `partitions`. Gives the number that it has now.
   * @param maxBytes of a message, where it must take larger ones than the log does by itself
   */
  abstract ensureTopic(topic: string, partitions: number, maxBytes?: number): Promise<number>;
  /** How many partitions the topic has; 0 when it does not exist. */
  abstract partitionsOf(topic: string): Promise<number>;
  /** Appends in order; resolves once the log holds the messages as `acks` asks. */
  abstract append(topic: string, acks: Acks, messages: readonly OutgoingMessage[]): Promise<void>;
  /** The offset that the next message of each partition gets, by partition. */
  abstract endOffsets(topic: string): Promise<number[]>;
  /** The offset at which the group goes on, by partition. */
  abstract committedOffsets(group: string, topic: string): Promise<number[]>;
  /** How many messages the group has not handled yet, by partition. */
  async lag(group: string, topic: string): Promise<number[]> {
    const [ends, committed] = await Promise.all([
      this.endOffsets(topic),
      this.committedOffsets(group, topic),
    ]);
    return ends.map((end, partition) => Math.max(0, end - (committed[partition] ?? 0)));
  }
  /** Sets where the group goes on. Rejects while it has members. */
  abstract rewind(group: string, topic: string, offsets: readonly number[]): Promise<void>;
  /**
   * Removes what the log knows of a group that nobody belongs to any more, so that it lags no longer
   * and nothing is kept for it. Rejects while it has members.
   */
  abstract forget(group: string, topic: string): Promise<void>;
  /** Up to `limit` messages of a partition from `offset` on, those that there are. */
  abstract read(
    topic: string,
    partition: number,
    offset: number,
    limit: number,
  ): Promise<RawMessage[]>;
  /** The newest `limit` messages of a partition, oldest first. */
  async newest(topic: string, partition: number, limit: number): Promise<RawMessage[]> {
    const end = (await this.endOffsets(topic))[partition] ?? 0;
    return this.read(topic, partition, Math.max(0, end - limit), limit);
  }
  /** Joins the group and handles what comes until stopped. */
  abstract consume(options: ConsumeOptions, handler: PartitionHandler): Promise<RunningConsumer>;
  /** Resolves when the log answers, and every consumer made here reads from it. */
  abstract check(): Promise<void>;
  /** Stops the consumers and closes the connections. */
  abstract close(): Promise<void>;
}
