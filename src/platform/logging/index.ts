export * from './program-logger';
