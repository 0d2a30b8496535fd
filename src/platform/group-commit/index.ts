export * from './group-commit';
export * from './group-commit-options';
