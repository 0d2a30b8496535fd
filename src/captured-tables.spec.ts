import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { capturedTables } from './captured-tables';
import { CapturedTables } from './cdc';

const SCHEMA = 'webook';
const path = join(__dirname, '../canal/conf/webook/instance.properties');

/** A property's comma-separated list, with the backslashes that Java makes of doubled ones. */
function listOf(name: string): string[] {
  const line = readFileSync(path, 'utf8')
    .split('\n')
    .find((each) => each.startsWith(`${name}=`));
  return line!
    .slice(name.length + 1)
    .replaceAll('\\\\', '\\')
    .split(',');
}

/** Canal's patterns must match the whole of a table's name with its schema. */
const matches = (pattern: string, table: string): boolean =>
  new RegExp(`^(?:${pattern})$`).test(`${SCHEMA}.${table}`);

describe('the captured tables', () => {
  const captured = listOf('canal.instance.filter.regex');
  const hashed = listOf('canal.mq.partitionHash').map((rule) => {
    const colon = rule.lastIndexOf(':');
    return { pattern: rule.slice(0, colon), column: rule.slice(colon + 1) };
  });

  it('are captured by Canal, each with the same hash column', () => {
    for (const { name, hashColumn } of capturedTables) {
      expect([name, captured.filter((pattern) => matches(pattern, name))]).toEqual([
        name,
        [expect.any(String)],
      ]);
      const columns = hashed.filter(({ pattern }) => matches(pattern, name));
      expect([name, columns.map(({ column }) => column)]).toEqual([name, [hashColumn]]);
    }
  });

  it('are all that Canal captures', () => {
    const { names } = new CapturedTables(capturedTables);
    for (const pattern of captured)
      expect([pattern, names.some((name) => matches(pattern, name))]).toEqual([pattern, true]);
    for (const { pattern } of hashed) expect(captured).toContain(pattern);
    const others = names.flatMap((name) => [`${name}_old`, `old_${name}`, `${name}x`]);
    for (const table of [...others, 'interactive', 'follows', 'fans_', 'articles', 'likes'])
      expect([table, captured.some((pattern) => matches(pattern, table))]).toEqual([table, false]);
  });
});
