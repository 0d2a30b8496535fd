// npm run bench:test
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { orderOf, pairedRatio, tQuantile } from './statistics.mjs';

const near = (actual, expected, tolerance) =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} instead of ${expected}`);

test('equal ratios have an interval without width', () => {
  const { ratio, low, high } = pairedRatio([110, 220, 330], [100, 200, 300]);
  for (const value of [ratio, low, high]) near(value, 1.1, 1e-12);
});

test("the interval is that of Student's own example", () => {
  // Hours of sleep gained with two drugs, paired by patient (Student 1908, the data set `sleep` of R):
  // t.test(paired = TRUE) gives a mean difference of -1.58 and the interval -2.4598858 to -0.7001142.
  const first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0];
  const second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];
  const { ratio, low, high } = pairedRatio(first.map(Math.exp), second.map(Math.exp));
  near(Math.log(ratio), -1.58, 1e-9);
  near(Math.log(low), -2.4598858, 2e-4);
  near(Math.log(high), -0.7001142, 2e-4);
});

test('exchanging the sides inverts the ratio and its interval', () => {
  const [ours, theirs] = [
    [90, 105, 99],
    [100, 101, 97],
  ];
  const { ratio, low, high } = pairedRatio(ours, theirs);
  const inverse = pairedRatio(theirs, ours);
  near(inverse.ratio, 1 / ratio, 1e-12);
  near(inverse.low, 1 / high, 1e-12);
  near(inverse.high, 1 / low, 1e-12);
});

test('the t quantile follows its tables below and above 30 degrees of freedom', () => {
  near(tQuantile(1), 12.706, 1e-9);
  near(tQuantile(9), 2.262, 1e-9);
  near(tQuantile(31), 2.0395, 1e-4);
  near(tQuantile(60), 2.0003, 1e-4);
  near(tQuantile(1_000), 1.9623, 1e-4);
});

test('what is no ratio is refused', () => {
  for (const [ours, theirs] of [
    [[1], [1]],
    [
      [1, 0],
      [1, 1],
    ],
    [
      [1, NaN],
      [1, 1],
    ],
    [
      [1, 1],
      [1, 0],
    ],
  ])
    assert.throws(() => pairedRatio(ours, theirs), /positive values/);
});

test('the sides take turns in being first', () => {
  assert.deepEqual([0, 1, 2, 3].map(orderOf), [
    [0, 1],
    [1, 0],
    [0, 1],
    [1, 0],
  ]);
});
