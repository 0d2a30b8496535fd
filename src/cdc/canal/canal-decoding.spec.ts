import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Reader, Writer } from 'protobufjs/minimal';
import { BadMessageError } from '../../messaging';
import { binlogTopic } from '../binlog.topic';
import type { RowChange } from '../row-change';

interface CanalMessage {
  partition: number;
  value: string;
}

const messagesOf = (form: 'protobuf' | 'flat'): Buffer[] => {
  const path = join(__dirname, `../../../test/fixtures/canal/${form}.json`);
  const messages = JSON.parse(readFileSync(path, 'utf8')) as CanalMessage[];
  return messages.map(({ value }) => Buffer.from(value, form === 'protobuf' ? 'base64' : 'utf8'));
};

const decode = (form: 'protobuf' | 'flat'): RowChange[] =>
  messagesOf(form).flatMap((message) => binlogTopic.decode(message));

const changesOf = (changes: RowChange[], table: string, id: string): RowChange[] =>
  changes.filter((change) => change.table === table && (change.after ?? change.before)?.id === id);

describe.each(['protobuf', 'flat'] as const)('Canal’s %s messages', (form) => {
  const changes = decode(form);

  it('have inserts, updates and deletes with the row before and after', () => {
    const row = { id: '12', biz: 'et', biz_id: '12', like_cnt: '0', note: null };
    expect(changesOf(changes, 'interactives', '12')).toMatchObject([
      { database: 'webook_test', kind: 'insert', before: null, after: row },
      { kind: 'update', before: row, after: { ...row, like_cnt: '120' } },
      { kind: 'delete', before: { ...row, like_cnt: '120' }, after: null },
    ]);
  });

  it('have NULL, the empty string and characters beyond the basic plane as they are', () => {
    const notes = changesOf(changes, 'interactives', '1').map(({ before, after }) => [
      before?.note,
      after?.note,
    ]);
    const text = `grüße 🎉 漢字 'quoted' "double" \\ back`;
    expect(notes).toEqual([
      [undefined, null],
      [null, text],
      [text, null],
      [null, ''],
    ]);
  });

  it('keep 64-bit integers exact', () => {
    const [max] = changesOf(changes, 'interactives', '9223372036854775807');
    const [min] = changesOf(changes, 'interactives', '2');
    const [unsigned] = changesOf(changes, 'fans_00', '2');
    expect(max?.after).toMatchObject({
      biz_id: '9223372036854775807',
      like_cnt: '9007199254740993',
    });
    expect(min?.after).toMatchObject({ biz_id: '-9223372036854775808', like_cnt: '-1' });
    expect(unsigned?.after?.c_bigu).toBe('18446744073709551615');
  });

  it('have every row of a statement and every table of the topic, and nothing else', () => {
    const updated = changes.filter(
      ({ kind, after }) =>
        kind === 'update' && /^1[1-6]$/.test(after?.id ?? '') && after?.biz === 'et',
    );
    expect(updated.map(({ after }) => after?.like_cnt).sort()).toEqual(
      ['110', '120', '130', '140', '150', '160', '99', '100'].sort(),
    );
    expect(new Set(changes.map(({ table }) => table))).toEqual(
      new Set(['interactives', 'follows_00', 'fans_00']),
    );
    // Changes that were rolled back are not captured.
    expect(changes.some(({ after }) => after?.like_cnt === '666')).toBe(false);
  });

  it('have the states of one row in their order', () => {
    expect(changesOf(changes, 'interactives', '13').map(({ after }) => after?.like_cnt)).toEqual([
      '0',
      '130',
      '99',
      '100',
    ]);
  });

  it('have the columns of an altered table', () => {
    expect(changesOf(changes, 'follows_00', '1').map(({ kind, after }) => [kind, after])).toEqual([
      ['insert', { id: '1', from_user_id: '100', to_user_id: '200', status: '1' }],
      ['update', { id: '1', from_user_id: '100', to_user_id: '200', status: '2', source: 'web' }],
      ['delete', null],
    ]);
  });

  it('have a rewrite for DDL that may change or remove rows', () => {
    expect(changes.filter(({ kind }) => kind === 'rewrite')).toMatchObject([
      { database: 'webook_test', table: 'follows_00', before: null, after: null },
    ]);
  });

  it('have the text of other DDL, with the database to which its names belong', () => {
    const created = changes.filter(({ kind }) => kind === 'statement');
    expect(created.map(({ cause }) => /^CREATE TABLE (\w+)/.exec(cause!)?.[1])).toEqual([
      'interactives',
      'follows_00',
      'fans_00',
    ]);
    expect(new Set(created.map(({ database }) => database))).toEqual(new Set(['webook_test']));
  });

  it('have the second of the commit', () => {
    for (const { executedAt } of changes) {
      expect(executedAt % 1_000).toBe(0);
      expect(executedAt).toBeGreaterThan(Date.UTC(2024, 0));
    }
  });

  it('are bad messages when they are truncated anywhere', () => {
    for (const message of messagesOf(form))
      for (let length = 0; length < message.length; length += 7)
        expect(() => binlogTopic.decode(message.subarray(0, length))).toThrow(BadMessageError);
  });
});

describe('Canal’s two forms', () => {
  it('decode to the same changes', () => {
    const comparable = (form: 'protobuf' | 'flat'): string[] =>
      decode(form)
        .map((change) => JSON.stringify([change.table, change.kind, change.before, change.after]))
        .sort();
    expect(comparable('protobuf')).toEqual(comparable('flat'));
  });

  it('number the rows of one event from 0 in each message, so that their order is known', () => {
    for (const message of messagesOf('flat')) {
      const ordinals = binlogTopic.decode(message).map(({ ordinal }) => ordinal);
      expect(ordinals).toEqual(ordinals.map((_, index) => index));
    }
    const statementRows = new Map<string, number[]>();
    for (const [index, message] of messagesOf('protobuf').entries())
      for (const { kind, position, ordinal } of binlogTopic.decode(message)) {
        if (kind === 'rewrite' || kind === 'statement') continue;
        const event = `message ${index}, offset ${position!.offset}`;
        statementRows.set(event, [...(statementRows.get(event) ?? []), ordinal]);
      }
    const counted = [...statementRows.values()];
    expect(counted).toEqual(counted.map((ordinals) => ordinals.map((_, index) => index)));
    expect(counted.some((ordinals) => ordinals.length > 1)).toBe(true);
  });

  it('differ in positions: only protobuf has them, rising along each partition', () => {
    expect(decode('flat').every(({ position }) => position === null)).toBe(true);
    for (const message of messagesOf('protobuf')) {
      const offsets = binlogTopic.decode(message).map(({ position }) => position!.offset);
      expect(offsets).toEqual([...offsets].sort((a, b) => a - b));
    }
    expect(decode('protobuf')[0]?.position).toMatchObject({
      serverId: 1,
      file: expect.stringMatching(/^mysql-bin\.\d{6}$/) as string,
    });
  });
});

describe('bytes that are not a message of Canal', () => {
  it.each([
    ['nothing', ''],
    ['text', 'hello'],
    ['JSON of something else', '{"Aid":1,"Uid":2}'],
    ['flat JSON without data', '{"type":"INSERT","isDdl":false,"database":"d","table":"t"}'],
    [
      'flat JSON without a time',
      '{"type":"INSERT","isDdl":false,"database":"d","table":"t","data":[{"id":"1"}]}',
    ],
    [
      'flat JSON without a table',
      '{"type":"INSERT","isDdl":false,"database":"d","es":1,"data":[{"id":"1"}]}',
    ],
    ['an acknowledgement of Canal’s protocol', Buffer.from([0x18, 3, 0x2a, 0])],
    ['a compressed packet', Buffer.from([0x18, 7, 0x20, 3, 0x2a, 0])],
  ])('are refused: %s', (_, bytes) => {
    expect(() => binlogTopic.decode(Buffer.from(bytes as string))).toThrow(BadMessageError);
  });

  it('are refused when they are larger than any message', () => {
    expect(() => binlogTopic.decode(Buffer.alloc(1_100_000, '{'))).toThrow(/1100000 bytes/);
  });
});

describe('a part of a message that cannot be read', () => {
  const unreadable = (cause: unknown): object => ({ kind: 'rewrite', before: null, cause });

  it.each([['1'], ['null'], ['{"id":1}'], ['{"id":"1","n":{}}'], ['["1"]']])(
    'is a rewrite among its neighbours: %s in flat JSON',
    (row) => {
      const message = `{"type":"INSERT","isDdl":false,"database":"d","table":"t","es":1,"data":[{"id":"7"},${row},{"id":"8"}]}`;
      expect(binlogTopic.decode(Buffer.from(message))).toMatchObject([
        { kind: 'insert', after: { id: '7' }, ordinal: 0 },
        unreadable(expect.stringMatching(/^a row of t is unreadable: /)),
        { kind: 'insert', after: { id: '8' }, ordinal: 2 },
      ]);
    },
  );

  const position = { serverId: 1, file: 'mysql-bin.000001', offset: 4 };
  const insert = (id: string): RowChange => ({
    database: 'd',
    table: 't',
    kind: 'insert',
    before: null,
    after: { id },
    position,
    ordinal: 0,
    executedAt: 1_000,
  });
  /** Packet -> Messages -> entries, from the entries of whole messages and given bytes. */
  const packet = (...entries: Buffer[]): Buffer => {
    const body = Writer.create();
    for (const entry of entries) body.uint32(18).bytes(entry);
    return Buffer.from(
      Writer.create().uint32(24).int32(7).uint32(42).bytes(body.finish()).finish(),
    );
  };
  const bytesIn = (bytes: Uint8Array, wanted: number): Uint8Array => {
    const reader = Reader.create(bytes);
    for (;;) {
      const tag = reader.uint32();
      if (tag >>> 3 === wanted) return reader.bytes();
      reader.skipType(tag & 7);
    }
  };
  const entryOf = (change: RowChange): Buffer =>
    Buffer.from(bytesIn(bytesIn(binlogTopic.encode([change]), 5), 2));
  const header = Writer.create()
    .uint32(18)
    .string('mysql-bin.000001')
    .uint32(24)
    .int64(99)
    .finish();
  const rowData = (header: Uint8Array | undefined, change: Writer): Buffer => {
    const entry = Writer.create();
    if (header) entry.uint32(10).bytes(header);
    return Buffer.from(entry.uint32(16).int32(2).uint32(26).bytes(change.finish()).finish());
  };
  const row = Writer.create().uint32(98).bytes(Buffer.alloc(0));

  it.each<[string, Buffer, object]>([
    [
      'rows without a table',
      rowData(header, Writer.create().uint32(16).int32(1).uint32(98).bytes(Buffer.alloc(0))),
      unreadable(
        'an entry of an unknown table at mysql-bin.000001:99 is unreadable: it has no database or table',
      ),
    ],
    [
      'rows of an unknown kind',
      rowData(header, Writer.create().uint32(16).int32(99).uint32(98).bytes(Buffer.alloc(0))),
      unreadable(expect.stringContaining('rows of the event type 99')),
    ],
    ['an entry without a header', rowData(undefined, row), unreadable(expect.any(String))],
    [
      'a truncated entry',
      entryOf(insert('9')).subarray(0, -3),
      unreadable(expect.stringContaining('index out of range')),
    ],
    [
      'the end of an XA transaction, whose entry has no table',
      rowData(header, Writer.create().uint32(16).int32(13).uint32(90).string("XA COMMIT 'a'")),
      { kind: 'rewrite', database: '', table: '', cause: "XA COMMIT 'a'" },
    ],
    [
      'a statement that Canal did not parse',
      rowData(
        header,
        Writer.create()
          .uint32(16)
          .int32(7)
          .uint32(80)
          .bool(true)
          .uint32(90)
          .string('RENAME TABLES t TO u')
          .uint32(114)
          .string('d'),
      ),
      { kind: 'statement', database: 'd', table: '', cause: 'RENAME TABLES t TO u' },
    ],
  ])('is a rewrite or statement among its neighbours: %s in protobuf', (_, entry, expected) => {
    const message = packet(entryOf(insert('7')), entry, entryOf(insert('8')));
    expect(binlogTopic.decode(message)).toMatchObject([
      { kind: 'insert', after: { id: '7' } },
      expected,
      { kind: 'insert', after: { id: '8' } },
    ]);
  });
});
