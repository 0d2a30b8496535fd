/** Java's String.hashCode: a signed 32-bit integer. */
function hashCode(text: string): number {
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = (Math.imul(31, hash) + text.charCodeAt(i)) | 0;
  return hash;
}

/** Java's Math.abs on 32 bits, for which the smallest integer stays negative. */
const abs = (value: number): number => (value === -2147483648 ? value : Math.abs(value));

/**
 * The partition to which Canal sends a row, computed from the database's name
 * (canal.mq.database.hash=true) and the hash column's value as MQMessageUtils of Canal 1.1 does it.
 * @param value the column's value as text; null for NULL
 */
export function partitionOf(database: string, value: string | null, partitions: number): number {
  return Math.abs(abs(hashCode(database) ^ hashCode(value ?? '')) % partitions);
}
