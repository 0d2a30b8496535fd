export * from './batch-loader';
export * from './fresh-cache';
export * from './key-budget';
export * from './singleflight';
