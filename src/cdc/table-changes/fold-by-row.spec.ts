import fc from 'fast-check';
import { foldByRow } from './fold-by-row';
import type { TableChange } from './table-change';

interface Row {
  readonly id: number;
  readonly value: number;
}

const row = (id: number, value: number): Row => ({ id, value });

let ordinal = 0;
const change = (before: Row | null, after: Row | null): TableChange<Row> => ({
  kind: before === null ? 'insert' : after === null ? 'delete' : 'update',
  before,
  after,
  position: null,
  ordinal: ordinal++,
});

const idOf = ({ id }: Row): number => id;

describe('foldByRow', () => {
  it('has the state before the first and after the last change of each row', () => {
    const changes = [
      change(null, row(1, 5)),
      change(row(2, 7), row(2, 8)),
      change(row(1, 5), row(1, 6)),
      change(row(2, 8), null),
    ];
    expect(foldByRow(changes, idOf)).toEqual([
      {
        key: 1,
        before: null,
        after: row(1, 6),
        deleted: null,
        changes: [changes[0], changes[2]],
      },
      {
        key: 2,
        before: row(2, 7),
        after: null,
        deleted: row(2, 8),
        changes: [changes[1], changes[3]],
      },
    ]);
  });

  it('orders the rows by their last changes', () => {
    const changes = [
      change(null, row(1, 1)),
      change(null, row(2, 2)),
      change(row(1, 1), row(1, 3)),
    ];
    expect(foldByRow(changes, idOf).map(({ key }) => key)).toEqual([2, 1]);
  });

  it('takes an update of the key for the end of one row and the beginning of another', () => {
    const move = change(row(1, 5), row(9, 5));
    expect(foldByRow([move], idOf)).toEqual([
      { key: 1, before: row(1, 5), after: null, deleted: row(1, 5), changes: [move] },
      { key: 9, before: null, after: row(9, 5), deleted: null, changes: [move] },
    ]);
  });

  it('knows the deleted row when one with the same key was inserted again', () => {
    const changes = [
      change(row(1, 5), null),
      change(null, row(1, 1)),
      change(row(1, 1), row(1, 2)),
    ];
    expect(foldByRow(changes, idOf)).toEqual([
      { key: 1, before: row(1, 5), after: row(1, 2), deleted: row(1, 5), changes },
    ]);
  });

  const id = fc.integer({ min: 1, max: 5 });
  const operation = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ kind: fc.constant('put' as const), id, value: fc.nat(9) }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete' as const), id }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('move' as const), id, to: id }) },
  );
  type Table = ReadonlyMap<number, Row>;

  /** Carries the operations out on a table. @returns the changes and the table after each of them */
  function run(operations: (typeof operation extends fc.Arbitrary<infer T> ? T : never)[]): {
    changes: TableChange<Row>[];
    tables: Table[];
  } {
    const table = new Map<number, Row>();
    const changes: TableChange<Row>[] = [];
    const tables: Table[] = [new Map()];
    for (const each of operations) {
      const before = table.get(each.id) ?? null;
      let after: Row | null = null;
      if (each.kind === 'put') after = row(each.id, each.value);
      else if (before === null) continue;
      else if (each.kind === 'move') {
        if (each.to !== each.id && table.has(each.to)) continue;
        after = row(each.to, before.value);
      }
      table.delete(each.id);
      if (after !== null) table.set(after.id, after);
      changes.push(change(before, after));
      tables.push(new Map(table));
    }
    return { changes, tables };
  }

  it('agrees with the table before and after any part of a history', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 40 }), fc.nat(), fc.nat(), (all, a, b) => {
        const { changes, tables } = run(all);
        const [from, to] = [a, b].map((n) => n % tables.length).sort((x, y) => x - y) as [
          number,
          number,
        ];
        const batch = changes.slice(from, to);
        const transitions = foldByRow(batch, idOf);
        const touched = new Set(batch.flatMap(idsOf));
        expect(new Set(transitions.map(({ key }) => key))).toEqual(touched);
        expect(transitions).toHaveLength(touched.size);
        for (const { key, before, after } of transitions) {
          expect(before).toEqual(tables[from]!.get(key) ?? null);
          expect(after).toEqual(tables[to]!.get(key) ?? null);
        }
        // Applying the transitions leads to the same table as applying the changes.
        const table = new Map(tables[from]);
        for (const { key, after } of transitions)
          if (after === null) table.delete(key);
          else table.set(key, after);
        expect(new Map([...table].sort(byKey))).toEqual(new Map([...tables[to]!].sort(byKey)));
      }),
      { numRuns: 500 },
    );
  });

  it('agrees with a naive model in any order of changes, also of repeated ones', () => {
    const anyRow = fc.record({ id, value: fc.nat(9) });
    const anyChange = fc.oneof(
      anyRow.map((after) => change(null, after)),
      anyRow.map((before) => change(before, null)),
      fc.tuple(anyRow, anyRow).map(([before, after]) => change(before, after)),
      fc.tuple(anyRow, fc.nat(9)).map(([before, value]) => change(before, row(before.id, value))),
    );
    fc.assert(
      fc.property(fc.array(anyChange, { maxLength: 30 }), (changes) => {
        const folded = foldByRow(changes, idOf);
        const lastIndex = (key: number): number =>
          changes.findLastIndex((each) => idsOf(each).includes(key));
        const keys = [...new Set(changes.flatMap(idsOf))];
        expect(new Set(folded.map(({ key }) => key))).toEqual(new Set(keys));
        const indexes = folded.map(({ key }) => lastIndex(key));
        expect(indexes).toEqual([...indexes].sort((a, b) => a - b));
        for (const { key, ...transition } of folded) {
          const own = changes.filter((each) => idsOf(each).includes(key));
          const [first, last] = [own[0]!, own.at(-1)!];
          const ended = own.findLast(
            ({ before, after }) => before?.id === key && after?.id !== key,
          );
          expect(transition).toEqual({
            before: first.before?.id === key ? first.before : null,
            after: last.after?.id === key ? last.after : null,
            deleted: ended?.before ?? null,
            changes: own,
          });
        }
      }),
      { numRuns: 500 },
    );
  });
});

const idsOf = ({ before, after }: TableChange<Row>): number[] => [
  ...new Set([before, after].filter((each) => each !== null).map(idOf)),
];

const byKey = ([a]: [number, Row], [b]: [number, Row]): number => a - b;
