export * from './domain-error';
export * from './unavailable.error';
export * from './unavailability';
export * from './transience';
