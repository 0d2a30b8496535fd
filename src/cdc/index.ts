export * from './binlog.topic';
export * from './capture-gaps';
export * from './cdc.module';
export * from './partition-hash';
export * from './row-change';
