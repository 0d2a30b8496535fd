import fc from 'fast-check';
import type { OutgoingMessage } from '../event-log';
import { messagesOf, pack, type StreamEntry } from './entry';

const entry = (id: string, ...fields: (string | Buffer)[]): StreamEntry => [
  Buffer.from(id),
  fields.map((field) => Buffer.from(field)),
];

/** Entries as append.lua writes them; the first message has the offset `first`. */
function entriesOf(messages: readonly OutgoingMessage[], first: number): StreamEntry[] {
  let last = first - 1;
  return [...pack(messages)].map(({ count, bytes }) =>
    entry(`${(last += count)}-1`, 't', '1700000000123', 'm', bytes),
  );
}

describe('entries', () => {
  it('keep the messages in their order, with rising offsets', () => {
    const message = fc.record({
      key: fc.option(fc.string({ unit: 'grapheme', maxLength: 20 })),
      value: fc
        .tuple(fc.uint8Array({ maxLength: 50 }), fc.nat(12_000))
        .map(([bytes, zeros]) => Buffer.concat([bytes, Buffer.alloc(zeros)])),
      partition: fc.constant(2),
      headers: fc.option(fc.dictionary(fc.string(), fc.string(), { minKeys: 1 }), {
        nil: undefined,
      }),
    });
    fc.assert(
      fc.property(fc.array(message, { maxLength: 30 }), fc.nat(1_000_000), (messages, first) => {
        const read = entriesOf(messages, first).flatMap((each) => messagesOf(2, each));
        expect(read).toEqual(
          messages.map(({ key, value, headers }, i) => ({
            key,
            value,
            partition: 2,
            offset: first + i,
            timestamp: 1_700_000_000_123,
            headers: headers ?? {},
          })),
        );
      }),
    );
  });

  it('hold many small messages, but only one large message', () => {
    const messages = (count: number, bytes: number): OutgoingMessage[] =>
      Array.from({ length: count }, () => ({ key: 'k', value: Buffer.alloc(bytes), partition: 0 }));
    expect([...pack(messages(1_000, 40))].length).toBeLessThan(3);
    expect([...pack(messages(3, 1_000_000))].map(({ count }) => count)).toEqual([1, 1, 1]);
    expect([...pack([])]).toEqual([]);
  });

  it('of another form are read as one message without a value', () => {
    const [packed] = pack([{ key: 'k', value: Buffer.from('value'), partition: 0 }]);
    const { bytes } = packed!;
    for (const fields of [
      ['data', '{"Aid":1}'],
      ['t', '1', 'm', ''],
      ['t', '1', 'm', 'short'],
      ['t', '1', 'm', bytes.subarray(0, -1)],
      ['t', '1', 'm', Buffer.concat([bytes, Buffer.from('x')])],
    ])
      expect(messagesOf(2, entry('7-1', ...fields))).toEqual([
        expect.objectContaining({ offset: 7, value: Buffer.alloc(0), key: null, headers: {} }),
      ]);
  });

  it.each(['no JSON', 'null', '5'])('with the headers "%s" are read without headers', (headers) => {
    const [packed] = pack([{ key: null, value: Buffer.from('v'), partition: 0, headers: {} }]);
    const bytes = Buffer.concat([
      packed!.bytes.subarray(0, 12),
      Buffer.from(headers),
      Buffer.from('v'),
    ]);
    bytes.writeUInt32LE(headers.length, 4);
    const [message] = messagesOf(2, entry('7-1', 't', '1', 'm', bytes));
    expect(message).toMatchObject({ value: Buffer.from('v'), headers: {} });
  });
});
