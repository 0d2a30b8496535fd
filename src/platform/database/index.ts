export * from './database';
export * from './database.module';
export * from './data-source-options';
export * from './sql-errors';
export * from './statement-timeout';
export * from './migrator';
