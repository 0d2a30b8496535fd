/** A place in the binlog from which it can be read on: always between two transactions. */
export interface BinlogPosition {
  readonly file: string;
  readonly offset: number;
}

export const isSamePosition = (a: BinlogPosition, b: BinlogPosition): boolean =>
  a.file === b.file && a.offset === b.offset;
