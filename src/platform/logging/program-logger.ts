import { ConsoleLogger, type LogLevel } from '@nestjs/common';

/** Nest logs each module and route at boot under these contexts; /docs shows the same. */
const SILENCED_CONTEXTS = new Set(['InstanceLoader', 'RoutesResolver', 'RouterExplorer']);

const LEVELS: LogLevel[] = ['log', 'warn', 'error', 'fatal'];

/** The program's log: one line per entry, as JSON in production. */
export class ProgramLogger extends ConsoleLogger {
  constructor(json: boolean) {
    super({ json, logLevels: LEVELS });
  }

  override log(message: unknown, ...rest: unknown[]): void {
    const context = rest.at(-1);
    if (typeof context === 'string' && SILENCED_CONTEXTS.has(context)) return;
    super.log(message, ...rest);
  }
}
