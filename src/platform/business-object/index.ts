export * from './object-ref';
