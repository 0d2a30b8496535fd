export * from './pause';
export * from './retry';
export * from './with-timeout';
