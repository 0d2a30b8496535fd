import { partitionOf } from '../canal/partition-hash';
import type { CapturedTable } from '../captured-table';

export const captureHeartbeatsTable: CapturedTable = {
  name: 'capture_heartbeats',
  hashColumn: 'slot',
};

/** The captured MySQL server, in the column `source`. */
export const MAIN_SOURCE = 'main';

/** By partition, the least number whose row is sent to it. */
export function slotsOf(schema: string, partitions: number): number[] {
  const slots = new Map<number, number>();
  for (let slot = 0; slots.size < partitions; slot++) {
    const partition = partitionOf(schema, String(slot), partitions);
    if (!slots.has(partition)) slots.set(partition, slot);
  }
  return Array.from({ length: partitions }, (_, partition) => slots.get(partition)!);
}
