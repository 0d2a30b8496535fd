import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { rightsOf } from './redis-rights';

const root = join(__dirname, '../../..');
const CALL = /redis\.p?call\(\s*'(\w+)'(?:\s*,\s*'(\w+)')?/g;
const WITH_SUBCOMMANDS = new Set(['memory', 'xinfo']);

const namesOf = (engine: 'streams' | 'kafka'): string[] => rightsOf(engine).map(({ name }) => name);

/** The commands of the scripts in these files, as in an ACL rule. */
const commandsIn = (pattern: string): Set<string> => {
  const files = globSync(pattern, { cwd: root });
  expect(files.length).toBeGreaterThan(3);
  return new Set(
    files.flatMap((file) =>
      [...readFileSync(join(root, file), 'utf8').matchAll(CALL)].map(([, command, argument]) => {
        const name = command!.toLowerCase();
        return WITH_SUBCOMMANDS.has(name) ? `${name}|${argument!.toLowerCase()}` : name;
      }),
    ),
  );
};

describe('the rights in Redis', () => {
  it('include every command that a script runs', () => {
    const lacking = (engine: 'streams' | 'kafka', pattern: string): string[] => {
      const names = new Set(namesOf(engine));
      return [...commandsIn(pattern)].filter((command) => !names.has(command));
    };
    expect(lacking('kafka', 'src/{interactive,ranking}/**/*.lua')).toEqual([]);
    expect(lacking('streams', 'src/**/*.lua')).toEqual([]);
  });

  it('stand in the documentation', () => {
    const text = readFileSync(join(root, 'docs/operating.md'), 'utf8');
    const documented = (start: string): Set<string> =>
      new Set(text.slice(text.indexOf(start)).match(/(?<=\+)[a-z|]+/g));
    const rule = documented('ACL SETUSER webook');
    const expected = [...namesOf('streams'), 'multi', 'subscribe'];
    expect(expected.filter((name) => !rule.has(name))).toEqual([]);
  });
});
