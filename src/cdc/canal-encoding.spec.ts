import * as fc from 'fast-check';
import { binlogTopic } from './binlog.topic';
import type { RowChange, RowImage } from './row-change';

const image: fc.Arbitrary<RowImage> = fc.dictionary(
  fc.oneof(fc.stringMatching(/^[a-z_]{1,12}$/), fc.constantFrom('__proto__', 'constructor')),
  fc.option(fc.string({ unit: 'grapheme' }), { nil: null }),
  { minKeys: 1, noNullPrototype: true },
);

const common = {
  database: fc.string({ minLength: 1, unit: 'grapheme' }),
  table: fc.string({ minLength: 1, unit: 'grapheme' }),
  position: fc.record({
    serverId: fc.nat(4_294_967_295),
    file: fc.stringMatching(/^[a-z-]{1,20}\.\d{6}$/),
    offset: fc.maxSafeNat(),
  }),
  executedAt: fc.nat(4_000_000_000).map((seconds) => seconds * 1_000),
};

const change: fc.Arbitrary<RowChange> = fc.oneof(
  fc.record({
    ...common,
    kind: fc.constant('insert' as const),
    before: fc.constant(null),
    after: image,
  }),
  fc.record({ ...common, kind: fc.constant('update' as const), before: image, after: image }),
  fc.record({
    ...common,
    kind: fc.constant('delete' as const),
    before: image,
    after: fc.constant(null),
  }),
  fc.record({
    ...common,
    kind: fc.constant('rewrite' as const),
    before: fc.constant(null),
    after: fc.constant(null),
  }),
);

describe('the relay’s messages', () => {
  it('decode to the changes that were encoded', () => {
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 5 }), (changes) => {
        expect(binlogTopic.decode(binlogTopic.encode(changes))).toEqual(changes);
      }),
    );
  });
});
