export * from './reader.module';
