export * from './collections.service';
export * from './interactive.module';
export * from './interactive.verifier';
export * from './likes.service';
