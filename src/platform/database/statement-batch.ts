import type { BulkValue } from './database';

/** Several statements that travel to the server, and their results back, in one round trip. */
export class StatementBatch {
  private readonly statements: string[] = [];
  private readonly values: BulkValue[] = [];

  /** @returns the index of the statement's result in what `send` returns */
  add(sql: string, ...values: readonly BulkValue[]): number {
    this.values.push(...values);
    return this.statements.push(sql) - 1;
  }

  get sql(): string {
    return this.statements.join(';\n');
  }

  get parameters(): readonly BulkValue[] {
    return this.values;
  }
}
