import { Module } from '@nestjs/common';
import { collectDefaultMetrics } from 'prom-client';
import { MetricsController } from './metrics.controller';

/**
 * Serves prom-client's default registry. Whoever has something to count makes a metric of its own
 * at module level, named `webook_…`.
 */
@Module({ controllers: [MetricsController] })
export class MetricsModule {
  constructor() {
    collectDefaultMetrics();
  }
}
