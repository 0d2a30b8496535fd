import 'reflect-metadata';
import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module';
import { commands, ProgressLine, UsageError } from './cli/index';
import { InvalidEnvironmentError, processEnvironment } from './platform/config';
import { DomainError } from './platform/errors';

function help(): string {
  const width = Math.max(...commands.map(({ name, usage }) => `${name} ${usage}`.length));
  const lines = commands.map(
    ({ name, usage, summary }) => `  ${`${name} ${usage}`.padEnd(width)}  ${summary}`,
  );
  return ['Usage: npm run cli -- <command>', '', ...lines].join('\n');
}

async function main([name, ...args]: readonly string[]): Promise<number> {
  const command = commands.find((candidate) => candidate.name === name);
  if (!command) {
    console.error(help());
    return name === undefined || name === 'help' ? 0 : 2;
  }
  const environment = processEnvironment();
  let app: Promise<INestApplicationContext> | undefined;
  try {
    return await command.run({
      environment,
      args,
      app: () =>
        // ROLE is ignored: with `api`, a command runs no consumer, relay or scheduler.
        (app ??= NestFactory.createApplicationContext(
          AppModule.register({ ...environment, ROLE: 'api' }),
          {
            logger: ['error', 'warn'],
            abortOnError: false,
          },
        )),
      print: (line) => console.log(line),
      progress: (label) => new ProgressLine(label),
    });
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`${error.message}\nUsage: npm run cli -- ${command.name} ${command.usage}`);
    return 2;
  } finally {
    await (await app)?.close();
  }
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    const known = error instanceof InvalidEnvironmentError || error instanceof DomainError;
    console.error(known ? error.message : error);
    process.exit(1);
  },
);
