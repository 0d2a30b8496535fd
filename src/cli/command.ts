import type { INestApplicationContext } from '@nestjs/common';
import type { Environment } from '../platform/config';
import type { ProgressLine } from './progress-line';

/** The arguments and services of a command. */
export interface CommandContext {
  readonly environment: Environment;
  /** The arguments after the command's name. */
  readonly args: readonly string[];
  /** The program without HTTP, consumers and schedulers; created on first use. */
  app(): Promise<INestApplicationContext>;
  /** Writes a line of the result to stdout. */
  print(line: string): void;
  /** A line on stderr that shows the progress of a long command. */
  progress(label: string): ProgressLine;
}

/** A command of `npm run cli`. */
export interface Command {
  readonly name: string;
  /** The arguments as the help shows them, e.g. `<topic> [--limit N]`; empty for none. */
  readonly usage: string;
  readonly summary: string;
  /** @returns the exit code: 0 done, 1 failed or a check has found something */
  run(context: CommandContext): Promise<number>;
}

/** Wrong arguments: the CLI prints the message and the command's usage, and exits with 2. */
export class UsageError extends Error {}
