import { Logger } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { HealthRegistry } from './platform/health';

/** Milliseconds after which a shutdown that hangs is cut short. */
const GRACE = 25_000;

/**
 * Stops in the order in which nothing under way is lost: not ready any more, requests answered,
 * then consumers drained and their offsets committed, and only then the pools closed. Nest's own order
 * would close the pools first.
 */
export class Shutdown {
  private readonly logger = new Logger('Shutdown');
  private begun = false;

  constructor(
    private readonly app: NestFastifyApplication,
    private readonly stopConsumers: () => Promise<void>,
  ) {}

  onSignals(): void {
    for (const signal of ['SIGTERM', 'SIGINT'] as const)
      process.on(signal, () => void this.run(signal));
  }

  private async run(signal: string): Promise<void> {
    if (this.begun) return;
    this.begun = true;
    this.logger.log(`${signal}: stopping`);
    setTimeout(() => {
      this.logger.error(`Not stopped after ${GRACE} ms, giving up`);
      process.exit(1);
    }, GRACE).unref();
    try {
      this.app.get(HealthRegistry).beginShutdown();
      await this.app.getHttpAdapter().close();
      await this.stopConsumers();
      await this.app.close();
      this.logger.log('Stopped');
      process.exit(0);
    } catch (error) {
      this.logger.error('The shutdown failed', (error as Error).stack);
      process.exit(1);
    }
  }
}
