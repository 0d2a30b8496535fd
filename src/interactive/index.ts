export * from './collections/collections.service';
export * from './counters/interactives.table';
export * from './interactive.module';
export * from './likes/likes.service';
export * from './object-state/object-state.service';
export * from './reads/reads.module';
