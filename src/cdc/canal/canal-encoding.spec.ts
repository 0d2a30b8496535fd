import * as fc from 'fast-check';
import type { ChangedRows } from '../binlog/changed-rows';
import { binlogTopic } from '../binlog.topic';
import type { RowChange, RowImage } from '../row-change';
import { encodeProtobuf, maxRowBytes } from './canal-protobuf';

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
  ordinal: fc.oneof(fc.constant(0), fc.nat()),
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
    ordinal: fc.constant(0),
  }),
);

/** The first row of an event is the only one without an ordinal in the message. */
const changes = fc.uniqueArray(change, {
  selector: ({ position }) => JSON.stringify(position),
  minLength: 1,
  maxLength: 5,
});

const rows = fc.array(fc.tuple(image, image, fc.nat()), { minLength: 1, maxLength: 5 });

describe('the relay’s messages', () => {
  it('decode to the changes that were encoded', () => {
    fc.assert(
      fc.property(changes, (all) => {
        expect(binlogTopic.decode(binlogTopic.encode(all))).toEqual(all);
      }),
    );
  });

  it('take no more bytes than estimated for the rows of an event', () => {
    const event: Omit<ChangedRows, 'rows'> = {
      database: 'webook',
      table: 'interactives',
      kind: 'update',
      position: { serverId: 1, file: 'mysql-bin.000001', offset: 4 },
      executedAt: 1_700_000_000_000,
    };
    const bytes = (of: ChangedRows['rows']): number =>
      encodeProtobuf([{ ...event, rows: of }]).length;
    fc.assert(
      fc.property(rows, (all) => {
        const changed = all.map(([before, after, ordinal]) => ({ before, after, ordinal }));
        const estimate = changed.reduce((sum, row) => sum + maxRowBytes(row), 0);
        expect(bytes(changed) - bytes([])).toBeLessThanOrEqual(estimate);
      }),
    );
    const ordinal = Number.MAX_SAFE_INTEGER;
    const huge = { ordinal, before: { a: '漢'.repeat(200_000) }, after: { a: null } };
    expect(bytes([huge]) - bytes([])).toBeLessThanOrEqual(maxRowBytes(huge));
  });
});
