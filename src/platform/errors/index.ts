export * from './domain-error';
export * from './unavailable.error';
export * from './dependency-fault';
