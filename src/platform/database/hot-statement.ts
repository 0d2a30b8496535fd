import type { BulkValue } from './database';

/**
 * A statement that runs often, with example values. Each file with SQL exports them as `hotStatements`;
 * `test/plans` checks which index each one uses.
 */
export interface HotStatement {
  readonly name: string;
  readonly sql: string;
  readonly params: readonly BulkValue[];
}
