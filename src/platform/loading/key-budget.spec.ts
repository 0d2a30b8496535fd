import { KeyBudget } from './key-budget';

describe('KeyBudget', () => {
  let now = 0;
  const budget = new KeyBudget(() => now);

  it('gives each owner so many keys a minute, and again in the next one', () => {
    expect(budget.take(1, 60, 100)).toBe(true);
    expect(budget.take(1, 60, 100)).toBe(false);
    expect(budget.take(1, 40, 100)).toBe(true);
    expect(budget.take(2, 100, 100)).toBe(true);
    now = 59_999;
    expect(budget.take(1, 1, 100)).toBe(false);
    now = 60_000;
    expect(budget.take(1, 100, 100)).toBe(true);
  });
});
