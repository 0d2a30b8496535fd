import { ProgressLine } from './progress-line';
import { ProgressSteps } from './progress-steps';

describe('ProgressLine', () => {
  const written: string[] = [];
  let now = 0;
  const lineOf = (label: string): ProgressLine =>
    new ProgressLine(
      label,
      { isTTY: false, write: (text: string) => written.push(text.trimEnd()) > 0 },
      () => now,
    );

  beforeEach(() => {
    written.length = 0;
    now = 0;
  });

  it('shows the finished share and the remaining time at the average speed', () => {
    const line = lineOf('counters');
    for (const [at, done, share] of [
      [1_000, 500, 0.1],
      [1_100, 600, 0.12],
      [3_000, 1_500, 0.3],
      [10_000, 5_000, 1],
    ] as const) {
      now = at;
      line.update(done, share);
    }
    line.finish(5_000);
    expect(written).toEqual([
      'counters: 500 (10 %, 9 s left)',
      'counters: 1,500 (30 %, 7 s left)',
      'counters: 5,000 (100 %)',
      'counters: 5,000',
    ]);
  });

  it('starts a new line for each step, and finishes the previous one', () => {
    const steps = new ProgressSteps(lineOf);
    steps.update('counters', 5, 1);
    now = 1_000;
    steps.update('cached values', 7, 0.5);
    steps.finish();
    expect(written).toEqual([
      'counters: 5 (100 %)',
      'counters: 5',
      'cached values: 7 (50 %, 0 s left)',
      'cached values: 7',
    ]);
  });
});
