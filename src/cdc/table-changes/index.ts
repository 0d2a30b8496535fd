export * from './change-feed';
export * from './column-reader';
export * from './fold-by-row';
export * from './table-change';
