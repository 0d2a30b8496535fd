import { type CapturedTable, captureHeartbeatsTable } from './cdc';
import { interactivesTable } from './interactive';
import { relationTables } from './relation';

/** The tables whose changes are captured, of every context. canal/conf has the same in patterns. */
export const capturedTables: readonly CapturedTable[] = [
  captureHeartbeatsTable,
  interactivesTable,
  ...relationTables,
];
