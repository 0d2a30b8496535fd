import type { INestApplicationContext } from '@nestjs/common';
import type { Environment } from '../platform/config';
import type { ProgressLine } from './progress-line';

/** What a command works with. */
export interface CommandContext {
  readonly environment: Environment;
  /** What follows the command's name. */
  readonly args: readonly string[];
  /** The program without HTTP, consumers and schedulers; made on first use, closed by the CLI. */
  app(): Promise<INestApplicationContext>;
  /** Writes a line of the result to stdout. */
  print(line: string): void;
  /** A line on stderr that shows how far a long command has come. */
  progress(label: string): ProgressLine;
}

/** One thing that `npm run cli` can do. */
export interface Command {
  readonly name: string;
  /** The arguments as the help shows them, e.g. `<topic> [--limit N]`; empty for none. */
  readonly usage: string;
  readonly summary: string;
  /** @returns the exit code: 0 done, 1 something was found or failed */
  run(context: CommandContext): Promise<number>;
}

/** Wrong arguments: the CLI prints the message with the command's usage and exits with 2. */
export class UsageError extends Error {}
