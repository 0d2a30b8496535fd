import type { RowImage } from '../row-change';

const INTEGER = /^-?\d+$/;

/** Typed access to the columns of a captured row image. */
export class ColumnReader {
  /** @param complement has the columns that `image` leaves out; null when there is none */
  constructor(
    private readonly table: string,
    private readonly image: RowImage,
    private readonly complement: RowImage | null = null,
  ) {}

  /**
   * An integer column; beyond 2^53 the last digits are lost.
   * @param fallback the value when the column is missing or NULL
   * @throws Error when the value is no integer, or missing without a fallback
   */
  integer(column: string, fallback?: number): number {
    const value = this.value(column);
    if (value === null || value === undefined) {
      if (fallback !== undefined) return fallback;
      throw this.missing(column, value);
    }
    if (!INTEGER.test(value))
      throw new Error(
        `captured ${this.table}.${column} is ${JSON.stringify(value)}, not an integer`,
      );
    return Number(value);
  }

  /** @throws Error when the column is missing or NULL */
  text(column: string): string {
    const value = this.value(column);
    if (value === null || value === undefined) throw this.missing(column, value);
    return value;
  }

  private value(column: string): string | null | undefined {
    const value = this.image[column];
    return value === undefined ? this.complement?.[column] : value;
  }

  private missing(column: string, value: null | undefined): Error {
    return new Error(
      `captured ${this.table}.${column} is ${value === null ? 'NULL' : 'missing from the change'}`,
    );
  }
}
