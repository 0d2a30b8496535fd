/** A place in a server's binlog from which it can be read on: between two of its statements. */
export interface BinlogPosition {
  readonly file: string;
  readonly offset: number;
}
