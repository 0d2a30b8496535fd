import { Module } from '@nestjs/common';
import { collectDefaultMetrics } from 'prom-client';
import { MetricsController } from './metrics.controller';

/**
 * Serves prom-client's default registry. A module that measures something creates its own metric at
 * module level, named `webook_…`.
 */
@Module({ controllers: [MetricsController] })
export class MetricsModule {
  constructor() {
    collectDefaultMetrics();
  }
}
