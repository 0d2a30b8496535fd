import { randomBytes, randomInt } from 'node:crypto';
import { isGuessable } from './guessable-secret';

describe('isGuessable', () => {
  it.each([
    'webook-development-secret',
    '$(openssl rand -hex 32)',
    'a'.repeat(64),
    '0'.repeat(32),
    ' '.repeat(32),
    'ab'.repeat(20),
    '0123456789abcdef',
    '0123456789abcdef0123456789abcdef',
    'fedcba9876543210fedcba9876543210',
    'abcdefghijklmnopqrstuvwxyz',
    '12345678901234567890123456789012',
    'aaaaaaaabbbbbbbbccccccccdddddddd',
    'secretsecretsecret',
    'supersecretsupersecretpassword',
    'your-256-bit-secret',
    'my-super-secret-jwt-key',
    'change-me-in-production',
    'CHANGE_ME_CHANGE_ME_CHANGE_ME',
    'a secret of production',
    'example-secret-for-development-only',
    'passwordpassword1',
    'qwertyuiopqwertyuiop',
  ])('is true for %j', (secret) => {
    expect(isGuessable(secret)).toBe(true);
  });

  it('is false for random secrets, whatever their form', () => {
    for (let i = 0; i < 2_000; i++) {
      expect(isGuessable(randomBytes(32).toString('hex'))).toBe(false);
      expect(isGuessable(randomBytes(32).toString('base64'))).toBe(false);
      const digits = Array.from({ length: 40 }, () => randomInt(10)).join('');
      expect(isGuessable(digits)).toBe(false);
    }
    expect(isGuessable(`prod-key-${randomBytes(16).toString('hex')}`)).toBe(false);
    expect(isGuessable('correct horse battery staple')).toBe(false);
  });
});
