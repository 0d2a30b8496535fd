import 'reflect-metadata';
import { lookup } from 'node:dns/promises';
import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { AppModule } from './app.module';
import { configureHttp, createHttpAdapter } from './http-server';
import { LogServer } from './messaging';
import { type Environment, InvalidEnvironmentError, processEnvironment } from './platform/config';
import { Migrator } from './platform/database';
import { isAway } from './platform/errors';
import { awaitDependency } from './platform/health';
import { ProgramLogger } from './platform/logging';
import { checkRedis } from './platform/redis';
import { Shutdown } from './shutdown';

async function main(): Promise<void> {
  const environment = processEnvironment();
  const logger = new ProgramLogger(environment.NODE_ENV === 'production');
  Logger.overrideLogger(logger);
  await prepareDependencies(environment);
  const app = await NestFactory.create<NestFastifyApplication>(
    AppModule.register(environment),
    createHttpAdapter(),
    // configureHttp has its own parser of bodies.
    { logger, abortOnError: false, bodyParser: false },
  );
  configureHttp(app, environment);
  const consumers = app.get(LogServer);
  if (environment.ROLE !== 'api') app.connectMicroservice({ strategy: consumers });
  new Shutdown(app, () => consumers.close()).onSignals();
  // Its errors are not those of the address.
  await app.init();
  // HTTP first: joining the consumer groups can take many seconds.
  await listen(app, environment);
  await app.startAllMicroservices();
  // Scripts and tests wait for this text.
  logger.log(`Listening on ${await app.getUrl()}`, 'Boot');
}

async function prepareDependencies(environment: Environment): Promise<void> {
  const { names } = await prepare('MYSQL_URL', 'MySQL', () =>
    new Migrator(environment.MYSQL_URL).up(),
  );
  for (const name of names) Logger.log(`Migrated: ${name}`, 'Boot');
  await prepare('REDIS_URL', 'Redis', () => checkRedis(environment));
}

/** Errors of MySQL and Redis for a wrong user, password or database. */
const REFUSAL = /^(Access denied|Unknown database|WRONGPASS|NOAUTH|NOPERM)/;

/** @throws InvalidEnvironmentError when nothing answers for a minute, or the login is refused */
async function prepare<T>(variable: string, name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await awaitDependency(name, work);
  } catch (error) {
    const { message } = error as Error;
    if (!isAway(error) && !REFUSAL.test(message)) throw error;
    throw new InvalidEnvironmentError(
      `${variable} is set but ${name} cannot be used there: ${message || String(error)}`,
    );
  }
}

/** @throws InvalidEnvironmentError when the address cannot be used */
async function listen(app: NestFastifyApplication, { HOST, PORT }: Environment): Promise<void> {
  try {
    // For a name with several addresses Fastify would open a second server, without our limits.
    await app.listen(PORT, (await lookup(HOST)).address);
  } catch (error) {
    throw new InvalidEnvironmentError(
      `HOST is ${JSON.stringify(HOST)} and PORT ${PORT}, where webook cannot listen, ` +
        `e.g. HOST=127.0.0.1 PORT=3000: ${(error as Error).message}`,
    );
  }
}

main().catch((error: unknown) => {
  if (error instanceof InvalidEnvironmentError) console.error(error.message);
  else
    console.error(`webook cannot start: ${error instanceof Error ? error.stack : String(error)}`);
  process.exit(1);
});
