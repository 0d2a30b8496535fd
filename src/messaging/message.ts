/** One message as a consumer gets it. */
export interface Message<Payload> {
  readonly key: string | null;
  readonly value: Payload;
  readonly partition: number;
  /** Position in the partition: an integer, rising by at least 1 a message, from 0. */
  readonly offset: number;
  /** Milliseconds since the epoch at which the log took it. */
  readonly timestamp: number;
}

/** What a consumer method is called with: messages of one partition in their order. */
export interface MessageBatch<Payload> {
  readonly topic: string;
  readonly group: string;
  readonly partition: number;
  /** The log that counts the messages' offsets. */
  readonly logId: string;
  readonly messages: readonly Message<Payload>[];
}
