import type { MessageBatch } from '../../messaging';
import type { Database } from '../../platform/database';
import type { CaptureGaps } from '../capture-gaps';
import { SeenBeats } from '../heartbeat/seen-beats';
import type { RowChange, RowImage } from '../row-change';
import { ChangeFeed } from './change-feed';
import { unreadableChanges } from './change-feed.metrics';
import type { TableChange, TableReader } from './table-change';

interface Widget {
  readonly id: number;
  readonly size: number;
}

const widgets: TableReader<Widget> = {
  tables: ['widgets_00', 'widgets_01'],
  read: (columns) => ({ id: columns.integer('id'), size: columns.integer('size') }),
};

const change = (
  before: RowImage | null,
  after: RowImage | null,
  overrides: Partial<RowChange> = {},
): RowChange => ({
  database: 'webook',
  table: 'widgets_00',
  kind: before === null ? 'insert' : after === null ? 'delete' : 'update',
  before,
  after,
  position: null,
  ordinal: 0,
  executedAt: 0,
  ...overrides,
});

const image = (id: number, size: number): RowImage => ({ id: `${id}`, size: `${size}` });

const batchOf = (...messages: RowChange[][]): MessageBatch<RowChange[]> => ({
  topic: 'webook_binlog',
  group: 'test',
  partition: 0,
  logId: 'log',
  messages: messages.map((value, offset) => ({
    key: null,
    value,
    partition: 0,
    offset,
    timestamp: 0,
  })),
});

describe('ChangeFeed', () => {
  let feed: ChangeFeed;
  let beats: SeenBeats;
  /** What happened, in its order. */
  let log: string[];

  beforeEach(() => {
    log = [];
    const gaps = { report: (reason: string) => void log.push(reason) } as CaptureGaps;
    beats = new SeenBeats();
    feed = new ChangeFeed({ schema: async () => 'webook' } as Database, gaps, beats);
  });

  async function changesIn(
    ...messages: RowChange[][]
  ): Promise<readonly TableChange<Widget>[] | undefined> {
    let given: readonly TableChange<Widget>[] | undefined;
    await feed.handle(batchOf(...messages), widgets, async (changes) => {
      given = changes;
      log.push('work');
    });
    return given;
  }

  it('gives the changes of all messages, read, in their order', async () => {
    const position = { serverId: 1, file: 'mysql-bin.000001', offset: 4 };
    const changes = await changesIn(
      [
        change(null, image(1, 5), { position }),
        change(null, image(2, 6), { position, ordinal: 1 }),
      ],
      [change(image(1, 5), image(1, 7), { table: 'widgets_01' }), change(image(2, 6), null)],
    );
    expect(changes).toEqual([
      { kind: 'insert', before: null, after: { id: 1, size: 5 }, position, ordinal: 0 },
      { kind: 'insert', before: null, after: { id: 2, size: 6 }, position, ordinal: 1 },
      {
        kind: 'update',
        before: { id: 1, size: 5 },
        after: { id: 1, size: 7 },
        position: null,
        ordinal: 0,
      },
      { kind: 'delete', before: { id: 2, size: 6 }, after: null, position: null, ordinal: 0 },
    ]);
  });

  it('skips other tables and other databases, whose images it does not read', async () => {
    const other = { id: 'no number' };
    expect(
      await changesIn([
        change(null, other, { table: 'widgets' }),
        change(null, other, { database: 'other' }),
      ]),
    ).toEqual([]);
  });

  it('needs no more of the old image than the columns that changed', async () => {
    expect(await changesIn([change({ size: '4' }, image(1, 5))])).toMatchObject([
      { before: { id: 1, size: 4 }, after: { id: 1, size: 5 } },
    ]);
  });

  it('calls the work also for a batch without changes of the table', async () => {
    expect(await changesIn([])).toEqual([]);
    expect(log).toEqual(['work']);
  });

  it('reports a rewrite of any table and schema, after the work', async () => {
    const rewrite = change(null, null, { kind: 'rewrite', database: 'other', table: 'gadgets' });
    const cause = 'XA COMMIT 1';
    const any = change(null, null, { kind: 'rewrite', database: '', table: '', cause });
    expect(await changesIn([change(null, image(1, 5))], [rewrite, any])).toHaveLength(1);
    expect(log).toEqual([
      'work',
      'rows of gadgets may have changed by DDL',
      'rows of any table may have changed: XA COMMIT 1',
    ]);
  });

  it('reports a statement that may have changed rows of the tables, and no other', async () => {
    const statement = (cause: string, database = 'webook'): RowChange =>
      change(null, null, { kind: 'statement', table: '', database, cause });
    await changesIn([
      statement('RENAME TABLES widgets_01 TO gone'),
      statement('TRUNCATE gadgets'),
      statement('TRUNCATE widgets_01', 'other'),
      statement(`UPDATE widgets_00 SET note = '${'x'.repeat(1_000)}'`),
    ]);
    expect(log).toEqual([
      'work',
      'rows may have been changed by RENAME TABLES widgets_01 TO gone',
      expect.stringMatching(/^rows may have been changed by UPDATE widgets_00 .{170,}…$/),
    ]);
  });

  it('reports nothing when the work fails: the batch is delivered again', async () => {
    const rewrite = change(null, null, { kind: 'rewrite' });
    const failing = feed.handle(batchOf([rewrite]), widgets, async () => {
      throw new Error('away');
    });
    await expect(failing).rejects.toThrow('away');
    expect(log).toEqual([]);
  });

  it('notes the newest heartbeat of its own schema, once the work has succeeded', async () => {
    const beat = (at: number, overrides: Partial<RowChange> = {}): RowChange =>
      change(
        null,
        { source: 'main', slot: '0', beat_at: `${at}` },
        {
          table: 'capture_heartbeats',
          ...overrides,
        },
      );
    const failing = feed.handle(batchOf([beat(1)]), widgets, async () => {
      throw new Error('away');
    });
    await expect(failing).rejects.toThrow('away');
    expect(beats.unsaved.size).toBe(0);
    await changesIn(
      [beat(1), beat(2)],
      [beat(9, { database: 'other' })],
      [beat(0, { kind: 'delete', before: {}, after: null })],
    );
    expect([...beats.unsaved]).toEqual([['test:main:0', 2]]);
  });

  it('gives the neighbours of a change that cannot be read, and reports and counts it', async () => {
    unreadableChanges.reset();
    const position = { serverId: 1, file: 'mysql-bin.000001', offset: 4 };
    const changes = await changesIn([
      change(null, image(1, 5)),
      change(null, { id: '2' }, { position }),
      change({ id: 'NaN', size: '1' }, null),
      change(null, image(3, 7)),
    ]);
    expect(changes?.map(({ after }) => after?.id)).toEqual([1, 3]);
    expect(log).toEqual([
      'work',
      'a change at mysql-bin.000001:4 cannot be read: captured widgets_00.size is missing from the change',
      'a change cannot be read: captured widgets_00.id is "NaN", not an integer',
    ]);
    expect((await unreadableChanges.get()).values).toMatchObject([
      { value: 2, labels: { group: 'test', table: 'widgets_00' } },
    ]);
  });
});
