export * from './interactive.module';
export * from './interactive.verifier';
