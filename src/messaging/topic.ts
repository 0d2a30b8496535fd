import Ajv, { type SchemaObject } from 'ajv';
import { BadMessageError } from './bad-message.error';

/** Which replicas must hold a message before `publish` resolves. */
export type Acks = 'all' | 'leader' | 'none';

/** Larger messages are refused when published, and dead-lettered when consumed. */
export const MAX_MESSAGE_BYTES = 1_000_000;

/** The contract of one topic, between producers and consumers in any language. */
export interface Topic<Payload> {
  readonly name: string;
  /** Number of partitions; messages of one key are in one partition and keep their order. */
  readonly partitions: number;
  readonly acks: Acks;
  /** The business object that a payload belongs to; the key's hash picks the partition. */
  keyOf(payload: Payload): string;
  encode(payload: Payload): Buffer;
  /** @throws BadMessageError when the bytes are not such a payload, with the reason */
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

/** Defines a topic of JSON messages; a compiled schema checks each payload that is consumed. */
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
