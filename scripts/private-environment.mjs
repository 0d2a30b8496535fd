const PROGRAM_VARIABLES = [
  'MYSQL_URL',
  'REDIS_URL',
  'KAFKA_BROKERS',
  'CANAL_PROPERTIES',
  'MQ_ENGINE',
  'CDC_ENGINE',
  'ROLE',
  'CONSUMER_GROUPS',
  'READ_CONSUMER',
  'MYSQL_POOL_SIZE',
  'RANKING_SIZE',
  'JWT_SECRET',
  'JWT_JWKS_URL',
  'HOST',
  'PORT',
];

/** Tests get none of the caller's settings: their stack is private and empty. */
export function privateEnvironment() {
  const env = { ...process.env, NODE_ENV: 'test' };
  for (const name of PROGRAM_VARIABLES) delete env[name];
  return env;
}
