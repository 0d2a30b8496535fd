export * from './fresh-cache';
