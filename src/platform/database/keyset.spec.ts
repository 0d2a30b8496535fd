import * as fc from 'fast-check';
import { newestFirst } from './keyset';

describe('newestFirst', () => {
  it('has no condition on the first page', () => {
    expect(newestFirst(['utime', 'id'], null, 21)).toEqual({
      sql: 'ORDER BY utime DESC, id DESC LIMIT ?',
      values: [21],
    });
  });

  it('seeks by the time alone, and leaves out what was shown of it', () => {
    expect(newestFirst(['utime', 'biz', 'biz_id'], [5, 'article', 42], 21)).toEqual({
      sql: 'AND utime <= ? AND (utime < ? OR biz < ? OR (biz = ? AND biz_id < ?)) ORDER BY utime DESC, biz DESC, biz_id DESC LIMIT ?',
      values: [5, 5, 'article', 'article', 42, 21],
    });
  });

  it('describes the rows after the position, whatever the columns', () => {
    const rows = fc.array(fc.tuple(fc.nat({ max: 2 }), fc.nat({ max: 2 }), fc.nat({ max: 2 })), {
      minLength: 1,
      maxLength: 12,
    });
    fc.assert(
      fc.property(rows, fc.nat(), (all, index) => {
        const position = all[index % all.length]!;
        const { sql, values } = newestFirst(['a', 'b', 'c'], position, 1);
        // The condition as JavaScript: the values take the places of the question marks.
        let place = 0;
        const condition = sql
          .slice('AND '.length, sql.indexOf(' ORDER BY'))
          .replace(/\?/g, () => String(values[place++]))
          .replaceAll(' = ', ' === ')
          .replaceAll(' AND ', ' && ')
          .replaceAll(' OR ', ' || ');
        const isAfter = new Function('a', 'b', 'c', `return ${condition};`);
        const compare = (left: readonly number[], right: readonly number[]): number =>
          left.map((value, i) => value - right[i]!).find((difference) => difference !== 0) ?? 0;
        for (const row of all) expect(isAfter(...row)).toBe(compare(row, position) < 0);
      }),
    );
  });
});
