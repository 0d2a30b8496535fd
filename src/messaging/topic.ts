import Ajv, { type SchemaObject } from 'ajv';
import { BadMessageError } from './bad-message.error';

/** How many replicas must hold a message before `publish` returns. */
export type Acks = 'all' | 'leader' | 'none';

/** Largest message, in bytes, that is published or handled: others are refused, or dead-lettered. */
export const MAX_MESSAGE_BYTES = 1_000_000;

/** The contract of one topic: what producers and consumers, in any language, agree on. */
export interface Topic<Payload> {
  readonly name: string;
  /** Partitions it is provisioned with; messages of one key keep their order within one of them. */
  readonly partitions: number;
  readonly acks: Acks;
  /** The business object that a payload belongs to; its hash picks the partition. */
  keyOf(payload: Payload): string;
  encode(payload: Payload): Buffer;
  /** @throws BadMessageError when the bytes are not such a payload; says what is wrong with them */
  decode(value: Buffer): Payload;
}

export interface JsonTopicOptions<Payload> {
  name: string;
  partitions: number;
  acks: Acks;
  key: (payload: Payload) => string;
  /** JSON schema (Ajv) of the payload. */
  schema: SchemaObject;
}

const ajv = new Ajv({ allErrors: false });

/** Defines a topic of JSON messages whose payloads are checked by a compiled schema at the edge. */
export function defineTopic<Payload>(options: JsonTopicOptions<Payload>): Topic<Payload> {
  const isValid = ajv.compile<Payload>(options.schema);
  return {
    name: options.name,
    partitions: options.partitions,
    acks: options.acks,
    keyOf: options.key,
    encode: (payload) => Buffer.from(JSON.stringify(payload)),
    decode(value) {
      if (value.length > MAX_MESSAGE_BYTES)
        throw new BadMessageError(`${value.length} bytes, more than ${MAX_MESSAGE_BYTES}`);
      let payload: unknown;
      try {
        payload = JSON.parse(value.toString('utf8'));
      } catch (error) {
        throw new BadMessageError(`not JSON: ${(error as Error).message}`);
      }
      if (!isValid(payload)) throw new BadMessageError(ajv.errorsText(isValid.errors));
      return payload;
    },
  };
}
