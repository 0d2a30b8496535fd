import type { ChangedRows } from '../binlog/changed-rows';
import { binlogTopic } from '../binlog.topic';
import { partitionOf } from '../canal/partition-hash';
import { CapturedTables } from '../captured-tables';
import { captureHeartbeatsTable } from '../heartbeat/capture-heartbeats.table';
import type { RowChange } from '../row-change';
import { RelayBuffer } from './relay-buffer';

const PARTITIONS = 3;
const TABLES = new CapturedTables([
  { name: 'interactives', hashColumn: 'biz_id' },
  captureHeartbeatsTable,
]);

const event = (offset: number, ids: readonly number[], note = ''): ChangedRows => ({
  database: 'webook',
  table: 'interactives',
  kind: 'insert',
  position: { serverId: 1, file: 'mysql-bin.000001', offset },
  executedAt: 1_000 * offset,
  rows: ids.map((id, ordinal) => ({
    ordinal,
    before: null,
    after: { id: `${id}`, biz_id: `${id}`, note },
  })),
});

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** Orders changes by (position, ordinal). */
const placeOf = ({ position, ordinal }: RowChange): number => position!.offset * 1e6 + ordinal;

describe('RelayBuffer', () => {
  it('puts each row into its partition, in the order of the binlog', () => {
    const buffer = new RelayBuffer(PARTITIONS, TABLES);
    buffer.add(event(10, [1, 2, 3, 4]));
    buffer.add(event(20, [1, 5]));
    const { messages, rows, oldestAt } = buffer.take();
    expect({ rows, oldestAt }).toEqual({ rows: 6, oldestAt: 10_000 });
    const seen = messages.flatMap(({ partition, value }) =>
      binlogTopic.decode(value).map(({ after, position }) => {
        expect(partitionOf('webook', after!.biz_id!, PARTITIONS)).toBe(partition);
        return [after!.id, position!.offset];
      }),
    );
    expect(seen).toHaveLength(6);
    expect(seen.filter(([id]) => id === '1')).toEqual([
      ['1', 10],
      ['1', 20],
    ]);
    expect(new Set(messages.map(({ partition }) => partition)).size).toBe(messages.length);
  });

  it('puts a rewrite into each partition, after the rows before it', () => {
    const buffer = new RelayBuffer(PARTITIONS, TABLES);
    buffer.add(event(10, range(20)));
    buffer.add({ ...event(20, []), kind: 'rewrite' });
    buffer.add(event(30, range(20)));
    const { messages, rows } = buffer.take();
    expect(rows).toBe(40);
    expect(messages).toHaveLength(PARTITIONS);
    for (const { value } of messages) {
      const offsets = binlogTopic.decode(value).map(({ position }) => position!.offset);
      expect(offsets).toEqual([...offsets].sort((a, b) => a - b));
      expect(offsets.filter((offset) => offset === 20)).toHaveLength(1);
    }
  });

  it('splits rows that are too many or too large for one message', () => {
    const buffer = new RelayBuffer(1, TABLES);
    buffer.add(event(10, range(50_000)));
    buffer.add(event(20, range(20), '漢'.repeat(100_000)));
    const { messages } = buffer.take();
    for (const { value } of messages) expect(value.length).toBeLessThan(1_000_000);
    const ids = messages.flatMap(({ value }) =>
      binlogTopic.decode(value).map(({ after }) => Number(after!.id)),
    );
    expect(ids).toEqual([...range(50_000), ...range(20)]);
  });

  it('puts a note in the place of a row that is too large for any message', () => {
    const buffer = new RelayBuffer(1, TABLES);
    const large = Object.fromEntries(range(1_000).map((i) => [`c${i}`, 'x'.repeat(1_000)]));
    const { rows, ...common } = event(10, [1, 2, 3]);
    const images = rows.map(({ ordinal, after }) => ({
      ordinal,
      before: null,
      after: ordinal === 1 ? { ...after, ...large } : after,
    }));
    buffer.add({ ...common, rows: images });
    const changes = buffer.take().messages.flatMap(({ value }) => binlogTopic.decode(value));
    expect(changes).toMatchObject([
      { kind: 'insert', after: { id: '1' }, ordinal: 0 },
      {
        kind: 'rewrite',
        table: 'interactives',
        cause: expect.stringMatching(/^the row with the id 2 is too large .*\(10\d+ bytes\)$/),
      },
      { kind: 'insert', after: { id: '3' }, ordinal: 2 },
    ]);
  });

  it('says once what many rewrites say, and splits those of many tables', () => {
    const buffer = new RelayBuffer(1, TABLES);
    const rewrite = (table: string): ChangedRows => ({
      ...event(20, []),
      table,
      kind: 'rewrite',
      cause: '漢'.repeat(200),
    });
    for (let i = 0; i < 10_000; i++) buffer.add(rewrite('interactives'));
    expect(buffer.take().messages.flatMap(({ value }) => binlogTopic.decode(value))).toHaveLength(
      1,
    );
    for (let i = 0; i < 2_000; i++) buffer.add(rewrite(`t${i}`));
    const { messages } = buffer.take();
    for (const { value } of messages) expect(value.length).toBeLessThan(1_000_000);
    expect(messages.flatMap(({ value }) => binlogTopic.decode(value))).toHaveLength(2_000);
  });

  it('keeps the index that each row has in its event, however the event is split', () => {
    const buffer = new RelayBuffer(PARTITIONS, TABLES);
    const counts = new Map([
      [10, 1_000],
      [20, 1],
      [30, 250],
    ]);
    for (const [offset, count] of counts) buffer.add(event(offset, range(count)));
    const { messages } = buffer.take();
    expect(messages.length).toBeGreaterThan(10);
    const indexes = new Map<number, number[]>();
    for (const { value } of messages) {
      const changes = binlogTopic.decode(value);
      for (const { position, ordinal, after } of changes) {
        // The event's rows are numbered by their ids.
        expect(ordinal).toBe(Number(after!.id));
        indexes.set(position!.offset, [...(indexes.get(position!.offset) ?? []), ordinal]);
      }
      const places = changes.map(placeOf);
      expect(places).toEqual([...places].sort((a, b) => a - b));
    }
    for (const [offset, count] of counts)
      expect(indexes.get(offset)!.sort((a, b) => a - b)).toEqual(range(count));
  });

  it('sends heartbeats, but does not count them', () => {
    const buffer = new RelayBuffer(1, TABLES);
    buffer.add({ ...event(10, [1, 2]), table: 'capture_heartbeats' });
    buffer.add(event(20, [1]));
    expect(buffer.rows).toBe(3);
    const { messages, rows } = buffer.take();
    expect(messages.flatMap(({ value }) => binlogTopic.decode(value))).toHaveLength(3);
    expect(rows).toBe(1);
    buffer.add({ ...event(30, [1, 2]), table: 'capture_heartbeats' });
    expect(buffer.take()).toMatchObject({ rows: 0, messages: [expect.anything()] });
  });

  it('returns where to read on only when a statement has ended since', () => {
    const buffer = new RelayBuffer(PARTITIONS, TABLES);
    buffer.add(event(10, [1]));
    expect(buffer.take().resumeAt).toBeUndefined();
    buffer.mark({ file: 'mysql-bin.000001', offset: 30 });
    expect(buffer.take()).toMatchObject({
      messages: [],
      rows: 0,
      oldestAt: undefined,
      resumeAt: { file: 'mysql-bin.000001', offset: 30 },
    });
    expect(buffer.take().resumeAt).toBeUndefined();
  });
});
