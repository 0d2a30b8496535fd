import { partitionOf } from '../canal/partition-hash';
import { slotsOf } from './capture-heartbeats.table';

describe('slotsOf', () => {
  it.each([
    ['webook', 3],
    ['webook_test', 3],
    ['a', 1],
    ['schema with 漢字', 16],
  ])('gives a number for each partition, in %s with %i', (schema, partitions) => {
    const slots = slotsOf(schema, partitions);
    expect(slots.map((slot) => partitionOf(schema, String(slot), partitions))).toEqual(
      Array.from({ length: partitions }, (_, partition) => partition),
    );
  });
});
