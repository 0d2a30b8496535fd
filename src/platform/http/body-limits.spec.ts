import { excessOf } from './body-limits';

const DEPTH = 'must not be nested deeper than 16 levels';
const VALUES = 'must not have more than 1000 values';
const MIB = 1_048_576;

describe('excessOf', () => {
  it.each([
    '',
    '{}',
    '"a text"',
    `${'['.repeat(16)}${']'.repeat(16)}`,
    `{"a":${'{"b":'.repeat(15)}1${'}'.repeat(16)}`,
    JSON.stringify(Array.from({ length: 999 }, (_, i) => i)),
    // Brackets, commas, quotes and backslashes inside of texts do not count.
    JSON.stringify({ text: '[[{{,"\\",'.repeat(1_000), '[,"': '\\' }),
    `"${'[,'.repeat(1_000)}`,
    // One after the other, not inside each other.
    `[${'[],'.repeat(300)}[]]`,
  ])('finds none in %.40s', (json) => {
    expect(excessOf(json)).toBeNull();
  });

  it.each([
    ['arrays', '['.repeat(17), DEPTH],
    ['objects', '{"a":'.repeat(17), DEPTH],
    ['arrays that never end', '['.repeat(MIB), DEPTH],
    ['arrays with texts', '["\\ud800",'.repeat(95_000), DEPTH],
    ['arrays after a text', `["\\\\",${'['.repeat(20)}`, DEPTH],
    ['elements', `[${'1,'.repeat(MIB / 2)}`, VALUES],
    ['empty arrays', `[${'[],'.repeat(700)}]`, VALUES],
    ['fields', `{${'"a":1,'.repeat(1_100)}}`, VALUES],
  ])('finds too many %s', (_, json, excess) => {
    expect(excessOf(json)).toBe(excess);
  });
});
