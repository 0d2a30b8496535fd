/** A place between two statements of a server's binlog, from which it can be read on. */
export interface BinlogPosition {
  readonly file: string;
  readonly offset: number;
}
