import { messageOf } from './entry';

const entry = (...fields: string[]) =>
  messageOf(2, [Buffer.from('7-1'), fields.map((field) => Buffer.from(field))]);

describe('messageOf', () => {
  it('reads what append.lua wrote', () => {
    expect(entry('t', '1700000000123', 'k', 'key', 'v', 'value', 'h', '{"a":"b"}')).toEqual({
      key: 'key',
      value: Buffer.from('value'),
      partition: 2,
      offset: 7,
      timestamp: 1_700_000_000_123,
      headers: { a: 'b' },
    });
    expect(entry('t', '1', 'k', '', 'v', 'value')).toMatchObject({ key: null, headers: {} });
  });

  it.each(['no JSON', 'null', '5', ''])('takes headers "%s" for none', (headers) => {
    const { value, headers: read } = entry('t', '1', 'k', '', 'v', 'value', 'h', headers);
    expect(value.toString()).toBe('value');
    expect(read).toEqual({});
  });

  it('finds no value in an entry of another form', () => {
    expect(entry('data', '{"Aid":1}')).toMatchObject({ value: Buffer.alloc(0), headers: {} });
  });
});
