import { ColumnReader } from './column-reader';

const reader = (image: Record<string, string | null>): ColumnReader =>
  new ColumnReader('widgets', image);

describe('ColumnReader', () => {
  it('reads integers and text', () => {
    const columns = reader({ id: '42', delta: '-7', name: '', note: '7' });
    expect([columns.integer('id'), columns.integer('delta')]).toEqual([42, -7]);
    expect([columns.text('name'), columns.text('note')]).toEqual(['', '7']);
  });

  it('takes the fallback of an integer that is missing or NULL', () => {
    expect(reader({}).integer('version', 0)).toBe(0);
    expect(reader({ version: null }).integer('version', 0)).toBe(0);
    expect(reader({ version: '3' }).integer('version', 0)).toBe(3);
  });

  it('takes a column that the image lacks from its complement, but no column that is NULL', () => {
    const columns = new ColumnReader('widgets', { a: '1', b: null }, { a: '9', b: '9', c: '9' });
    expect([columns.integer('a'), columns.integer('c'), columns.text('c')]).toEqual([1, 9, '9']);
    expect(() => columns.integer('b')).toThrow('NULL');
  });

  it.each(['', ' ', 'abc', '1.5', '1e3', '0x10', '7 ', 'NaN'])(
    'refuses %j as an integer, also with a fallback',
    (value) => {
      const message = `captured widgets.n is ${JSON.stringify(value)}, not an integer`;
      expect(() => reader({ n: value }).integer('n')).toThrow(message);
      expect(() => reader({ n: value }).integer('n', 0)).toThrow(message);
    },
  );

  it('names the table and the column that is missing or NULL', () => {
    expect(() => reader({}).integer('n')).toThrow('captured widgets.n is missing from the change');
    expect(() => reader({}).text('n')).toThrow('captured widgets.n is missing from the change');
    expect(() => reader({ n: null }).integer('n')).toThrow('captured widgets.n is NULL');
    expect(() => reader({ n: null }).text('n')).toThrow('captured widgets.n is NULL');
  });
});
