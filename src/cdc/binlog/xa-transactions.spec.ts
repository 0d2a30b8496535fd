import { XaTransactions } from './xa-transactions';

describe('XaTransactions', () => {
  let xa: XaTransactions;

  const prepare = (name: string, ...tables: string[]): void => {
    xa.start(name);
    for (const table of tables) xa.touch(table);
    xa.prepare();
  };

  beforeEach(() => {
    xa = new XaTransactions();
  });

  it('gives the tables of a transaction when it is committed, once', () => {
    prepare('a', 't', 'u', 't');
    prepare('b');
    expect([...xa.commit('a')!]).toEqual(['t', 'u']);
    expect([...xa.commit('b')!]).toEqual([]);
    expect(xa.commit('a')).toBeUndefined();
  });

  it('gives those of a transaction that ends unprepared', () => {
    xa.start('a');
    xa.touch('t');
    expect(xa.isOpen).toBe(true);
    expect([...xa.end()]).toEqual(['t']);
    expect(xa.isOpen).toBe(false);
    expect([...xa.end()]).toEqual([]);
    expect(xa.commit('a')).toBeUndefined();
  });

  it('forgets what is rolled back', () => {
    prepare('a', 't');
    xa.rollback('a');
    expect(xa.commit('a')).toBeUndefined();
  });

  it('does not know a transaction that was prepared before it read the binlog, or too many ago', () => {
    expect(xa.commit('a')).toBeUndefined();
    for (let i = 0; i <= 10_000; i++) prepare(`${i}`, 't');
    expect(xa.commit('0')).toBeUndefined();
    expect([...xa.commit('1')!]).toEqual(['t']);
  });
});
