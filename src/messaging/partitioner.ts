import { type Message, Partitioners } from 'kafkajs';

const choose = Partitioners.DefaultPartitioner();

/**
 * The partition of a key, by murmur2 as in Kafka's own clients in any language, on either engine:
 * all messages of one business object are in one partition.
 */
export function partitionOfKey(key: string, partitions: number): number {
  const partitionMetadata = Array.from({ length: partitions }, (_, partitionId) => ({
    partitionErrorCode: 0,
    partitionId,
    leader: 0,
    replicas: [],
    isr: [],
  }));
  return choose({ topic: '', partitionMetadata, message: { key } as Message });
}
