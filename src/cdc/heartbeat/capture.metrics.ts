import { Gauge } from 'prom-client';

export const captureLag = new Gauge({
  name: 'webook_capture_lag_seconds',
  help: 'How old the newest heartbeat is that a consumer group has seen in the partition that is furthest behind',
  labelNames: ['source', 'group'],
});
