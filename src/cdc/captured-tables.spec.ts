import { numberedTables } from './captured-table';
import { CapturedTables } from './captured-tables';

describe('CapturedTables', () => {
  it('knows the hash column of each declared table, and of no other', () => {
    const single = { name: 'interactives', hashColumn: 'biz_id' };
    const tables = new CapturedTables([single, ...numberedTables('follows', 'from_user_id')]);
    expect(tables.names).toHaveLength(101);
    expect(tables.names.slice(0, 2)).toEqual(['interactives', 'follows_00']);
    expect(tables.hashColumnOf('interactives')).toBe('biz_id');
    expect(tables.hashColumnOf('follows_99')).toBe('from_user_id');
    expect(tables.hashColumnOf('follows_100')).toBeUndefined();
  });

  it('refuses a table that is declared twice', () => {
    const table = { name: 'interactives', hashColumn: 'biz_id' };
    expect(() => new CapturedTables([table, { ...table, hashColumn: 'id' }])).toThrow(
      'interactives is declared twice',
    );
  });
});
