export * from './ranking.module';
