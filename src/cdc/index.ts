export * from './binlog.topic';
export * from './canal/partition-hash';
export * from './capture-gaps';
export * from './captured-table';
export * from './captured-tables';
export * from './cdc.module';
export * from './row-change';
export * from './table-changes';
