import { plainToInstance } from 'class-transformer';
import {
  IsIn,
  IsInt,
  IsOptional,
  IsString,
  Matches,
  Max,
  Min,
  MinLength,
  ValidateBy,
  ValidateIf,
  validateSync,
} from 'class-validator';
import { DecimalNumber } from '../validation';
import { isGuessable } from './guessable-secret';

export const NODE_ENVS = ['development', 'test', 'production'] as const;
export const ROLES = ['all', 'api', 'worker'] as const;
export const MQ_ENGINES = ['streams', 'kafka'] as const;
export const CDC_ENGINES = ['relay', 'canal'] as const;
export const READ_CONSUMERS = ['batch', 'single'] as const;

/** The libraries that use a URL parse it and decode its parts later: a fault must show at boot. */
function ParsesAsUrl(example: string): PropertyDecorator {
  const validate = (value: unknown): boolean => {
    try {
      const { username, password, pathname } = new URL(String(value));
      for (const part of [username, password, pathname]) decodeURIComponent(part);
      return true;
    } catch {
      return false;
    }
  };
  const fault = `must be a URL, with a port up to 65535 and % written as %25, e.g. ${example}`;
  return ValidateBy({ name: 'parsesAsUrl', validator: { validate, defaultMessage: () => fault } });
}

function NotGuessable(): PropertyDecorator {
  return ValidateBy({
    name: 'notGuessable',
    validator: {
      validate: (value) => !isGuessable(String(value)),
      defaultMessage: () =>
        'must be random in production, not words, sequences or repetitions, ' +
        'e.g. JWT_SECRET=$(openssl rand -hex 32)',
    },
  });
}

/**
 * Every variable that the program reads, with its default. No other code reads `process.env`. The
 * rules of a variable are checked from the bottom up, and only the first that fails is reported.
 */
export class Environment {
  @IsIn(NODE_ENVS, { message: 'must be development, test or production' })
  NODE_ENV: (typeof NODE_ENVS)[number] = 'development';

  @IsString()
  HOST = '127.0.0.1';

  @DecimalNumber()
  @Min(0, { message: 'must be a port number from 0 to 65535' })
  @Max(65535, { message: 'must be a port number from 0 to 65535' })
  @IsInt({ message: 'must be a port number, e.g. PORT=3000' })
  PORT = 3000;

  @ParsesAsUrl('mysql://user:50%25@127.0.0.1:3306/webook')
  @Matches(/^mysql:\/\/[^/]+\/[^/?]+/, {
    message: 'must be like mysql://user:password@127.0.0.1:3306/webook',
  })
  MYSQL_URL!: string;

  @DecimalNumber()
  @Min(2, { message: 'must be at least 2' })
  @Max(500, { message: 'must be at most 500' })
  @IsInt({ message: 'must be a whole number of connections' })
  MYSQL_POOL_SIZE = 10;

  @ParsesAsUrl('redis://:50%25@127.0.0.1:6379')
  @Matches(/^rediss?:\/\//, { message: 'must be like redis://127.0.0.1:6379' })
  REDIS_URL!: string;

  /** Comma-separated host:port list; required when an engine is Kafka or Canal. */
  @IsOptional()
  @Matches(/^[^,\s:]+:\d+(,[^,\s:]+:\d+)*$/, {
    message: 'must be like 127.0.0.1:9092,127.0.0.1:9093',
  })
  KAFKA_BROKERS?: string;

  @IsIn(MQ_ENGINES, { message: 'must be streams or kafka' })
  MQ_ENGINE: (typeof MQ_ENGINES)[number] = 'streams';

  @IsIn(CDC_ENGINES, { message: 'must be relay or canal' })
  CDC_ENGINE: (typeof CDC_ENGINES)[number] = 'relay';

  /** Path of Canal's instance.properties. When set, its partition count is checked at boot. */
  @IsOptional()
  @IsString()
  CANAL_PROPERTIES?: string;

  @IsIn(ROLES, { message: 'must be all, api or worker' })
  ROLE: (typeof ROLES)[number] = 'all';

  @IsIn(READ_CONSUMERS, { message: 'must be batch or single' })
  READ_CONSUMER: (typeof READ_CONSUMERS)[number] = 'batch';

  /** Comma-separated consumer groups that this process runs; all of them when unset. */
  @IsOptional()
  @Matches(/^[a-z][a-z0-9_-]*(,[a-z][a-z0-9_-]*)*$/, {
    message: 'must be like interactive,history',
  })
  CONSUMER_GROUPS?: string;

  /** Number of rows that a board shows. */
  @DecimalNumber()
  @Min(1, { message: 'must be at least 1' })
  @Max(10_000, { message: 'must be at most 10000' })
  @IsInt({ message: 'must be a whole number, e.g. RANKING_SIZE=100' })
  RANKING_SIZE = 100;

  /** HS256 secret. Outside production it may be short; its default there is a public secret. */
  @ValidateIf(({ NODE_ENV }: Environment) => NODE_ENV === 'production')
  @IsOptional()
  @NotGuessable()
  @MinLength(16, { message: 'must have at least 16 characters in production' })
  JWT_SECRET?: string;

  @IsOptional()
  @ParsesAsUrl('https://id.example.com/jwks.json')
  @Matches(/^https?:\/\/[^/?#@]+([/?#]|$)/, {
    message: 'must be an http(s) URL of a JSON Web Key Set, without a user and a password',
  })
  JWT_JWKS_URL?: string;
}

export class InvalidEnvironmentError extends Error {}

/**
 * Validates the variables once, at boot.
 * @throws InvalidEnvironmentError naming every wrong variable, its fault and an example
 */
export function readEnvironment(source: Record<string, string | undefined>): Environment {
  const known = new Environment() as unknown as Record<string, unknown>;
  const names = new Set([
    ...Object.keys(known),
    'MYSQL_URL',
    'REDIS_URL',
    'KAFKA_BROKERS',
    'CANAL_PROPERTIES',
    'CONSUMER_GROUPS',
    'JWT_SECRET',
    'JWT_JWKS_URL',
  ]);
  const given: Record<string, string> = {};
  for (const name of names) {
    const value = source[name];
    if (value !== undefined && value !== '') given[name] = value;
  }
  const environment = plainToInstance(Environment, given, { exposeDefaultValues: true });
  const faults = validateSync(environment, { stopAtFirstError: true }).map((error) => {
    const shown = given[error.property];
    const secret = /SECRET|URL/.test(error.property);
    const what =
      shown === undefined ? 'is not set' : secret ? 'is set' : `is ${JSON.stringify(shown)}`;
    return `${error.property} ${what} but ${Object.values(error.constraints ?? {}).join(', ')}`;
  });
  if (environment.NODE_ENV === 'production' && !environment.JWT_SECRET && !environment.JWT_JWKS_URL)
    faults.push(
      'JWT_SECRET or JWT_JWKS_URL must be set in production, ' +
        'e.g. JWT_SECRET=$(openssl rand -hex 32)',
    );
  const needsKafka = environment.MQ_ENGINE === 'kafka' || environment.CDC_ENGINE === 'canal';
  if (needsKafka && !environment.KAFKA_BROKERS)
    faults.push('KAFKA_BROKERS must be set for MQ_ENGINE=kafka, e.g. 127.0.0.1:9092');
  if (environment.CDC_ENGINE === 'canal' && environment.MQ_ENGINE !== 'kafka')
    faults.push('CDC_ENGINE=canal writes to Kafka, so it needs MQ_ENGINE=kafka');
  if (faults.length > 0)
    throw new InvalidEnvironmentError(`The configuration is wrong:\n  ${faults.join('\n  ')}`);
  return environment;
}
