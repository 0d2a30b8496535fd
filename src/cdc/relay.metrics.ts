import { Counter, Gauge } from 'prom-client';

/** Of the process, which has one relay at most. */
export const relayRows = new Counter({
  name: 'webook_relay_rows_total',
  help: 'Rows that the relay has captured and published',
});

export const relayGaps = new Counter({
  name: 'webook_relay_gaps_total',
  help: 'Times that changes could not be captured, so that derived data was made anew',
});

export const relayCapturing = new Gauge({
  name: 'webook_relay_capturing',
  help: '1 while this process reads the binlog, which one of all instances does',
});

export const relayLag = new Gauge({
  name: 'webook_relay_lag_seconds',
  help: 'How old the oldest change of the last append was when the log had taken it',
});
