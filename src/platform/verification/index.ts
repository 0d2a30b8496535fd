export * from './lasting-drifts';
export * from './verification';
export * from './verification.module';
export * from './verification.registry';
