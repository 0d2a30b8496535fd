import { type Message, Partitioners } from 'kafkajs';

const choose = Partitioners.DefaultPartitioner();

/**
 * The partition of a key: murmur2 as Kafka's own clients do it in any language, whichever engine
 * runs, so that one business object stays in one partition.
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
