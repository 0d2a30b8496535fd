import {
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import { Environment } from '../../platform/config';
import { HealthRegistry } from '../../platform/health';
import { CaptureGaps } from '../capture-gaps';
import { BinlogServer } from './binlog-server';

const INTERVAL_MS = 5_000;

/**
 * Watches the settings of MySQL that change capture needs, since they may be changed at any time. While
 * one is wrong, some changes may not be captured, so what is derived from them is read again and again.
 */
@Injectable()
export class BinlogSettings implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger('Capture');
  private timer: NodeJS.Timeout | undefined;
  private wrong: string | undefined;

  constructor(
    private readonly environment: Environment,
    private readonly server: BinlogServer,
    private readonly gaps: CaptureGaps,
    health: HealthRegistry,
  ) {
    // The relay's own check includes this one.
    if (environment.CDC_ENGINE === 'canal' && environment.ROLE !== 'api')
      health.add('cdc', () =>
        this.wrong === undefined ? Promise.resolve() : Promise.reject(new Error(this.wrong)),
      );
  }

  onApplicationBootstrap(): void {
    if (this.environment.ROLE === 'api') return;
    void this.check();
    this.timer = setInterval(() => void this.check(), INTERVAL_MS).unref();
  }

  onModuleDestroy(): void {
    clearInterval(this.timer);
  }

  /** The settings that are wrong, and what to set. */
  get fault(): string | undefined {
    return this.wrong;
  }

  private async check(): Promise<void> {
    const former = this.wrong;
    try {
      this.wrong = await this.server.settingsFault();
    } catch {
      // Other checks report that MySQL is away.
      return;
    }
    const { wrong } = this;
    if (wrong !== undefined) this.gaps.report(`changes may be missing, since ${wrong}`);
    if (wrong === former) return;
    if (wrong !== undefined) this.logger.error(`Changes may be missing: ${wrong}`);
    else {
      this.logger.log('MySQL has the settings again that change capture needs');
      this.gaps.report("MySQL's settings were wrong until now");
    }
  }
}
