import { type CapturedTable, numberedTables } from '../cdc';

/** The follow graph's tables: captured before it exists here, and other programs may write them. */
export const relationTables: readonly CapturedTable[] = [
  ...numberedTables('follows', 'from_user_id'),
  ...numberedTables('fans', 'to_user_id'),
];
