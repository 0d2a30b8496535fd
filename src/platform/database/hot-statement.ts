import type { BulkValue } from './database';

/**
 * A statement whose plan is recorded, with example values. Each repository exports those that it
 * runs often as `hotStatements`; `test/plans` compares their plans.
 */
export interface HotStatement {
  readonly name: string;
  readonly sql: string;
  readonly params: readonly BulkValue[];
}
