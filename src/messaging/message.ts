/** One message as a consumer receives it. */
export interface Message<Payload> {
  readonly key: string | null;
  readonly value: Payload;
  readonly partition: number;
  /** Position in the partition: an integer from 0, rising by at least 1 per message. */
  readonly offset: number;
  /** When the log took the message, in milliseconds since the epoch. */
  readonly timestamp: number;
}

/** The argument of a consumer method: messages of one partition in their order. */
export interface MessageBatch<Payload> {
  readonly topic: string;
  readonly group: string;
  readonly partition: number;
  /** The log that counts the messages' offsets. */
  readonly logId: string;
  readonly messages: readonly Message<Payload>[];
}
