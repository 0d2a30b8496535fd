import { Counter, Gauge } from 'prom-client';

/** Of the process: it has at most one relay. */
export const relayRows = new Counter({
  name: 'webook_relay_rows_total',
  help: 'Rows that the relay has captured and published',
});

export const relayRewrites = new Counter({
  name: 'webook_relay_rewrites_total',
  help: 'Times that the relay has published that rows may have changed without a change of each: DDL, the commit of an XA transaction, or an event that it cannot read',
});

export const relayGaps = new Counter({
  name: 'webook_relay_gaps_total',
  help: 'Times that changes could not be captured, so that derived data was reloaded from the database',
});

export const relayCapturing = new Gauge({
  name: 'webook_relay_capturing',
  help: '1 while this process reads the binlog, which only one of all instances does',
});

export const relayLag = new Gauge({
  name: 'webook_relay_lag_seconds',
  help: 'Age of the oldest change of the last append when the log had taken it',
});
