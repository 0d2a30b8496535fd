import type { Acks } from './topic';

/** A message as the log stores it. */
export interface RawMessage {
  readonly key: string | null;
  readonly value: Buffer;
  readonly partition: number;
  readonly offset: number;
  /** When the log took the message, in milliseconds since the epoch. */
  readonly timestamp: number;
  readonly headers: Readonly<Record<string, string>>;
}

export interface OutgoingMessage {
  readonly key: string | null;
  readonly value: Buffer;
  readonly partition: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The functions that an engine calls while it consumes for one group. */
export interface PartitionHandler {
  /**
   * This member now owns the partition, or the partition's log was recreated. The next messages
   * start at or before the committed offset.
   */
  onStart(topic: string, partition: number, stopping: AbortSignal): Promise<void>;
  /**
   * Handles messages of one partition; the engine commits their offset after this resolves.
   * @param following the messages that are fetched already and come after these
   */
  onMessages(
    topic: string,
    messages: readonly RawMessage[],
    stopping: AbortSignal,
    following: () => readonly RawMessage[],
  ): Promise<void>;
  /** The log refuses what this member needs; `undefined` when it no longer does. */
  onFault?(fault: Error | undefined): void;
}

export interface ConsumeOptions {
  readonly topic: string;
  readonly group: string;
  /** At most this many messages per call of the handler. */
  readonly size: number;
  /** How long a call with fewer messages waits for more. */
  readonly lingerMs: number;
}

export interface RunningConsumer {
  /** Stops fetching, waits for the running batches and commits their offsets. */
  stop(): Promise<void>;
}

/**
 * The program's event log, with one implementation per engine: partitioned topics whose messages
 * keep their order and offset, and consumer groups that remember the offsets which they have
 * reached. Every method rejects when the log cannot be reached.
 */
export abstract class EventLog {
  /** Identifies this log. A log that was recreated in the same place has another id. */
  abstract id(): Promise<string>;
  /**
   * Whether `id` also changes when a topic is recreated. If so, a partition that ends before what
   * was handled has lost its last messages in a crash; if not, it must be treated as a new one.
   */
  abstract readonly idChangesWithContent: boolean;
  /**
   * Creates the topic, or raises its number of partitions to `partitions`.
   * @param maxBytes size of a message, when the topic must take larger ones than the log's default
   * @returns the number of partitions that it has now
   */
  abstract ensureTopic(topic: string, partitions: number, maxBytes?: number): Promise<number>;
  /** The topic's number of partitions; 0 when it does not exist. */
  abstract partitionsOf(topic: string): Promise<number>;
  /** Appends in order; resolves once the log holds the messages as `acks` asks. */
  abstract append(topic: string, acks: Acks, messages: readonly OutgoingMessage[]): Promise<void>;
  /** By partition, the offset of the next message to be appended. */
  abstract endOffsets(topic: string): Promise<number[]>;
  /** By partition, the offset of the next message that the group receives. */
  abstract committedOffsets(group: string, topic: string): Promise<number[]>;
  /** By partition, how many messages the group has not handled yet. */
  async lag(group: string, topic: string): Promise<number[]> {
    const [ends, committed] = await Promise.all([
      this.endOffsets(topic),
      this.committedOffsets(group, topic),
    ]);
    return ends.map((end, partition) => Math.max(0, end - (committed[partition] ?? 0)));
  }
  /** Sets the group's committed offset in each partition. Rejects while the group has members. */
  abstract rewind(group: string, topic: string, offsets: readonly number[]): Promise<void>;
  /**
   * Removes a group that no longer has members from the log: it has no lag any more, and no
   * messages are kept for it. Rejects while the group has members.
   */
  abstract forget(group: string, topic: string): Promise<void>;
  /** The messages of a partition from `offset` on, at most `limit`. */
  abstract read(
    topic: string,
    partition: number,
    offset: number,
    limit: number,
  ): Promise<RawMessage[]>;
  /** The newest messages of a partition, at most `limit`, the oldest first. */
  async newest(topic: string, partition: number, limit: number): Promise<RawMessage[]> {
    const end = (await this.endOffsets(topic))[partition] ?? 0;
    return this.read(topic, partition, Math.max(0, end - limit), limit);
  }
  /** Joins the group and handles its messages until stopped. */
  abstract consume(options: ConsumeOptions, handler: PartitionHandler): Promise<RunningConsumer>;
  /** Resolves when the log answers and every consumer created here can read from it. */
  abstract check(): Promise<void>;
  /** Stops the consumers and closes the connections. */
  abstract close(): Promise<void>;
}
