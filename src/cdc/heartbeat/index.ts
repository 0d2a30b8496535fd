export * from './capture-heartbeats.table';
export * from './capture-watch';
export * from './seen-beats';
