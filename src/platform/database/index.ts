export * from './database';
export * from './database.module';
export * from './data-source-options';
export * from './hot-statement';
export * from './lend';
export * from './open-pool';
export * from './sql-errors';
export * from './migrator';
