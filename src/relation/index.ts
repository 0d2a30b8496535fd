export * from './relation.tables';
