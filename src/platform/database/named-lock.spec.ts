import { lockName } from './named-lock';

describe('lockName', () => {
  it('is the name that earlier versions gave the lock by CONCAT(…, MD5(DATABASE()))', () => {
    expect(lockName('webook-relay', 'webook')).toBe(
      'webook-relay:ef333d01f3c711344679ebf7a9bc7635',
    );
  });

  it('fits into the 64 characters of MySQL, however long the name of the database is', () => {
    expect(lockName('webook-migrations', '漢'.repeat(64)).length).toBeLessThanOrEqual(64);
  });
});
