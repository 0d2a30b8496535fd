import { ConsoleLogger, type LogLevel } from '@nestjs/common';

/** Nest's own lines on each module and route at boot, which say nothing that /docs does not. */
const CHATTER = new Set(['InstanceLoader', 'RoutesResolver', 'RouterExplorer']);

const LEVELS: LogLevel[] = ['log', 'warn', 'error', 'fatal'];

/** The program's log: a line each, as JSON in production. */
export class ProgramLogger extends ConsoleLogger {
  constructor(json: boolean) {
    super({ json, logLevels: LEVELS });
  }

  override log(message: unknown, ...rest: unknown[]): void {
    const context = rest.at(-1);
    if (typeof context === 'string' && CHATTER.has(context)) return;
    super.log(message, ...rest);
  }
}
