export * from './batch-loader';
export * from './fresh-cache';
export * from './singleflight';
