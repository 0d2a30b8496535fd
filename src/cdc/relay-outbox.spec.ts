import type { ChangedRows } from './canal-protobuf';
import { binlogTopic } from './binlog.topic';
import { partitionOf } from './partition-hash';
import { RelayOutbox } from './relay-outbox';

const PARTITIONS = 3;

const event = (offset: number, ids: readonly number[], note = ''): ChangedRows => ({
  database: 'webook',
  table: 'interactives',
  kind: 'insert',
  position: { serverId: 1, file: 'mysql-bin.000001', offset },
  executedAt: 1_000 * offset,
  rows: ids.map((id) => ({ before: null, after: { id: `${id}`, biz_id: `${id}`, note } })),
});

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

describe('RelayOutbox', () => {
  it('puts each row into its partition, in the order of the binlog', () => {
    const outbox = new RelayOutbox(PARTITIONS);
    outbox.add(event(10, [1, 2, 3, 4]));
    outbox.add(event(20, [1, 5]));
    const { messages, rows, oldestAt } = outbox.take();
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

  it('puts a rewrite into each partition, behind the rows before it', () => {
    const outbox = new RelayOutbox(PARTITIONS);
    outbox.add(event(10, range(20)));
    outbox.add({ ...event(20, []), kind: 'rewrite' });
    outbox.add(event(30, range(20)));
    const { messages, rows } = outbox.take();
    expect(rows).toBe(40);
    expect(messages).toHaveLength(PARTITIONS);
    for (const { value } of messages) {
      const offsets = binlogTopic.decode(value).map(({ position }) => position!.offset);
      expect(offsets).toEqual([...offsets].sort((a, b) => a - b));
      expect(offsets.filter((offset) => offset === 20)).toHaveLength(1);
    }
  });

  it('splits what is too much for one message', () => {
    const outbox = new RelayOutbox(1);
    outbox.add(event(10, range(50_000)));
    outbox.add(event(20, range(20), '漢'.repeat(100_000)));
    const { messages } = outbox.take();
    for (const { value } of messages) expect(value.length).toBeLessThan(1_000_000);
    const ids = messages.flatMap(({ value }) =>
      binlogTopic.decode(value).map(({ after }) => Number(after!.id)),
    );
    expect(ids).toEqual([...range(50_000), ...range(20)]);
  });

  it('tells where to read on only when a statement has ended since', () => {
    const outbox = new RelayOutbox(PARTITIONS);
    outbox.add(event(10, [1]));
    expect(outbox.take().resumeAt).toBeUndefined();
    outbox.mark({ file: 'mysql-bin.000001', offset: 30 });
    expect(outbox.take()).toMatchObject({
      messages: [],
      rows: 0,
      oldestAt: undefined,
      resumeAt: { file: 'mysql-bin.000001', offset: 30 },
    });
    expect(outbox.take().resumeAt).toBeUndefined();
  });
});
