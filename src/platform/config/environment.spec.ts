import { readEnvironment } from './environment';

const needed = { MYSQL_URL: 'mysql://u:p@127.0.0.1:3306/webook', REDIS_URL: 'redis://127.0.0.1' };
const fault = (source: Record<string, string>): string => {
  try {
    readEnvironment({ ...needed, ...source });
  } catch (error) {
    return (error as Error).message;
  }
  return '';
};

describe('readEnvironment', () => {
  it('fills in the defaults and converts text to numbers', () => {
    expect(readEnvironment({ ...needed, PORT: '8080', RANKING_SIZE: '' })).toMatchObject({
      NODE_ENV: 'development',
      PORT: 8080,
      RANKING_SIZE: 100,
      MQ_ENGINE: 'streams',
      ROLE: 'all',
    });
  });

  it.each([
    [{ PORT: 'eighty' }, 'PORT is "eighty" but must be a port number, e.g. PORT=3000'],
    [{ PORT: '70000' }, 'PORT is "70000" but must be a port number from 0 to 65535'],
    [{ PORT: '0x10' }, 'PORT is "0x10" but must be a port number, e.g. PORT=3000'],
    [{ PORT: '1e3' }, 'PORT is "1e3" but must be a port number'],
    [{ RANKING_SIZE: '0' }, 'RANKING_SIZE is "0" but must be at least 1'],
    [{ ROLE: 'both' }, 'ROLE is "both" but must be all, api or worker'],
    [{ MQ_ENGINE: 'rabbit' }, 'MQ_ENGINE is "rabbit" but must be streams or kafka'],
    [{ MYSQL_URL: '' }, 'MYSQL_URL is not set but must be like mysql://'],
    [{ MYSQL_URL: 'postgres://x' }, 'MYSQL_URL is set but must be like mysql://'],
    [{ MYSQL_URL: 'mysql://h:99999/db' }, 'MYSQL_URL is set but must be a URL, with a port up to'],
    [
      { MYSQL_URL: 'mysql://u:p%@h/db' },
      '% written as %25, e.g. mysql://user:50%25@127.0.0.1:3306',
    ],
    [{ MYSQL_URL: 'mysql://h/d%b' }, 'MYSQL_URL is set but must be a URL'],
    [{ REDIS_URL: 'redis://h:abc' }, 'REDIS_URL is set but must be a URL'],
    [{ JWT_JWKS_URL: 'http://' }, 'JWT_JWKS_URL is set but must be'],
    [{ JWT_JWKS_URL: 'https://u:p@h/keys' }, 'JWT_JWKS_URL is set but must be an http(s) URL of'],
    [
      { NODE_ENV: 'production', JWT_SECRET: 'short' },
      'JWT_SECRET is set but must have at least 16 characters in production',
    ],
    [
      { NODE_ENV: 'production', JWT_SECRET: 'webook-development-secret' },
      'JWT_SECRET is set but must be random in production, not words, sequences or repetitions, ' +
        'e.g. JWT_SECRET=$(openssl rand -hex 32)',
    ],
    [
      {
        NODE_ENV: 'production',
        JWT_SECRET: '0123456789abcdef0123456789abcdef',
        JWT_JWKS_URL: 'http://h/',
      },
      'JWT_SECRET is set but must be random in production',
    ],
    [{ KAFKA_BROKERS: 'a' }, 'KAFKA_BROKERS is "a" but must be like 127.0.0.1:9092'],
    [{ MQ_ENGINE: 'kafka' }, 'KAFKA_BROKERS must be set for MQ_ENGINE=kafka'],
    [{ CDC_ENGINE: 'canal', KAFKA_BROKERS: 'a:1' }, 'CDC_ENGINE=canal writes to Kafka'],
    [{ NODE_ENV: 'production' }, 'JWT_SECRET or JWT_JWKS_URL must be set in production'],
  ])('names the variable, its fault and an example: %j', (source, message) => {
    expect(fault(source)).toContain(message);
  });

  it('accepts a random secret and a key set in production', () => {
    const JWT_SECRET = '3f9a1c7be2d84065b1f7c09d5e6a8234';
    const JWT_JWKS_URL = 'https://id.example.com:8443/jwks.json?tenant=a@b';
    expect(fault({ NODE_ENV: 'production', JWT_SECRET })).toBe('');
    expect(fault({ NODE_ENV: 'production', JWT_JWKS_URL })).toBe('');
  });

  it('accepts a short secret outside production', () => {
    expect(fault({ JWT_SECRET: 'short' })).toBe('');
  });

  it('names every fault at once and never shows a secret', () => {
    const message = fault({ PORT: 'x', ROLE: 'y', JWT_SECRET: 'hunter2' });
    expect(message).toMatch(/PORT/);
    expect(message).toMatch(/ROLE/);
    expect(message).not.toMatch(/hunter2/);
  });
});
