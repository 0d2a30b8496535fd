import { Logger } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { HealthRegistry } from './platform/health';

/** After this time the process exits, even if the shutdown hangs. */
const SHUTDOWN_TIMEOUT_MS = 25_000;

/**
 * Stops in an order that loses no running work: readiness ends, requests are answered, consumers
 * end their batches and commit their offsets, and only then the connection pools are closed. Nest's
 * own order would close the pools first.
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
      this.logger.error(`Not stopped after ${SHUTDOWN_TIMEOUT_MS} ms, exiting now`);
      process.exit(1);
    }, SHUTDOWN_TIMEOUT_MS).unref();
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
