/** The addresses that scripts/test.mjs passes to the e2e tests. */
export interface TestEnvironment {
  readonly MYSQL_URL: string;
  readonly REDIS_URL: string;
  readonly KAFKA_BROKERS: string;
}

/**
 * The test stack's addresses.
 * @throws when they are missing, or when the database may hold a user's data
 */
export function testEnvironment(): TestEnvironment {
  const { MYSQL_URL, REDIS_URL, KAFKA_BROKERS } = process.env;
  if (!MYSQL_URL || !REDIS_URL)
    throw new Error(
      'The e2e tests need MYSQL_URL and REDIS_URL of a private stack. ' +
        'Run them with `npm test -- test/http.e2e-spec.ts`, which starts one and passes them on.',
    );
  const database = databaseOf(MYSQL_URL);
  if (!database.includes('test'))
    throw new Error(`The database "${database}" has no "test" in its name: tests delete all data`);
  return { MYSQL_URL, REDIS_URL, KAFKA_BROKERS: KAFKA_BROKERS ?? '' };
}

export const databaseOf = (url: string): string => new URL(url).pathname.slice(1);
