export * from './decimal-number.decorator';
