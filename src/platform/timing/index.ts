export * from './pause';
export * from './retry';
export * from './wait-at-most';
export * from './with-timeout';
