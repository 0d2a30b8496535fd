export * from './singleflight';
