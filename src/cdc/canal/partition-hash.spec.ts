import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { binlogTopic } from '../binlog.topic';
import { partitionOf } from './partition-hash';

interface CanalMessage {
  partition: number;
  value: string;
}

/** As in canal.mq.partitionHash. */
const HASH_COLUMNS = new Map([
  ['interactives', 'biz_id'],
  ['follows_00', 'from_user_id'],
  ['fans_00', 'to_user_id'],
]);

const fixture = JSON.parse(
  readFileSync(join(__dirname, '../../../test/fixtures/canal/protobuf.json'), 'utf8'),
) as CanalMessage[];

/** Java's String.hashCode by its definition: the sum of s[i] * 31^(n-1-i) modulo 2^32, signed. */
function javaHash(text: string): number {
  let hash = 0n;
  for (let i = 0; i < text.length; i++) hash = hash * 31n + BigInt(text.charCodeAt(i));
  return Number(BigInt.asIntN(32, hash));
}

describe('partitionOf', () => {
  it('sends each row where Canal sent it', () => {
    const rows = fixture.flatMap(({ partition, value }) =>
      binlogTopic
        .decode(Buffer.from(value, 'base64'))
        .filter(({ before, after }) => before ?? after)
        .map((change) => ({ partition, change })),
    );
    expect(rows.length).toBeGreaterThan(30);
    for (const { partition, change } of rows) {
      const column = HASH_COLUMNS.get(change.table)!;
      const value = (change.after ?? change.before)![column] ?? null;
      expect(partitionOf(change.database, value, 3)).toBe(partition);
    }
    expect(new Set(rows.map(({ partition }) => partition))).toEqual(new Set([0, 1, 2]));
  });

  it.each([
    ['webook', '1', 3],
    ['webook', '42', 3],
    ['webook', '9223372036854775807', 3],
    ['webook', null, 3],
    ['', '', 7],
  ] as const)('agrees with Canal’s formula for %s, %s, %d', (database, value, partitions) => {
    const code = Math.abs(javaHash(database) ^ javaHash(value ?? ''));
    expect(partitionOf(database, value, partitions)).toBe(code % partitions);
  });

  it('agrees with Canal’s formula for any names and values', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.string({ unit: 'binary' }),
        fc.integer({ min: 1, max: 128 }),
        (database, value, partitions) => {
          const partition = partitionOf(database, value, partitions);
          expect(partition).toBe(Math.abs(javaHash(database) ^ javaHash(value)) % partitions);
          expect(partition).toBeGreaterThanOrEqual(0);
          expect(partition).toBeLessThan(partitions);
        },
      ),
    );
  });

  it('stays in range for the hash whose absolute value Java cannot represent', () => {
    // "polygenelubricants" is the word whose hashCode is -2^31.
    expect(javaHash('polygenelubricants')).toBe(-2147483648);
    expect(partitionOf('polygenelubricants', '', 3)).toBe(2147483648 % 3);
  });
});
