import ZongJi, { type BinlogEvent, type RotateEvent, type RowData } from '@vlasky/zongji';
import { isUnavailable, UnavailableError } from '../../platform/errors';
import type { ChangePosition, RowImage } from '../row-change';
import type { BinlogPosition } from './binlog-position';
import type { ChangedRow, ChangedRows } from './changed-rows';
import { columnText } from './column-text';
import { rewrittenTables } from './ddl';

export interface BinlogStreamOptions {
  /** mysql:// URL of the server. */
  url: string;
  /** Whose tables are read; in the server's own spelling. */
  database: string;
  /** Names of the captured tables. */
  tables: readonly string[];
  serverId: number;
  from: BinlogPosition;
  /** Called when the server has begun to send, from `from` on. */
  onOpen(): void;
  onRows(event: ChangedRows): void;
  /** Called when all rows before this position have been passed to `onRows`. */
  onBoundary(position: BinlogPosition): void;
  /** Called at most once; the stream has ended then. */
  onError(error: Error): void;
}

/** An event that the reader cannot decode: reading it again will not help. */
export class UndecodableEventError extends Error {}

interface BinlogConnection {
  on(event: 'end', listener: () => void): void;
  pause(): void;
  resume(): void;
}

interface TableEntry {
  readonly parentSchema: string;
  readonly tableName: string;
  /** The table's columns as the binlog names them or, where it does not, as the table has them now. */
  readonly columnSchemas: readonly unknown[];
  readonly columns?: readonly { readonly name: string; readonly type: number }[];
}

interface TableMapEvent extends BinlogEvent {
  readonly tableId: number;
  readonly tableMap: Readonly<Record<number, TableEntry>>;
  readonly columnCount: number;
}

interface QueryEvent extends BinlogEvent {
  readonly query: string;
  /** To which unqualified names belong. */
  readonly schema: string;
}

interface RowsEvent extends BinlogEvent {
  readonly tableId: number;
  readonly tableMap: Readonly<Record<number, TableEntry>>;
  readonly rows: readonly (RowData | { before: RowData; after: RowData })[];
}

const KINDS: Readonly<Record<string, 'insert' | 'update' | 'delete'>> = {
  writerows: 'insert',
  updaterows: 'update',
  deleterows: 'delete',
};

/** The header precedes an event's body, the checksum follows it if the server writes checksums. */
const HEADER_BYTES = 19;
const CHECKSUM_BYTES = 4;

/** None of these ends a transaction: reading on after them would give only a part of it. */
const OPENING = /^\s*(BEGIN|SAVEPOINT|XA)\b/i;

/** Reads one server's binlog from a position on and passes on the captured tables' rows in order. */
export class BinlogStream {
  private readonly zongji: ZongJi;
  private file: string;
  /** The offset of the last boundary in `file`. */
  private boundary: number;
  private rowEventsSinceBoundary = 0;
  private open = false;
  private stopped = false;
  private paused = false;

  constructor(private readonly options: BinlogStreamOptions) {
    this.file = options.from.file;
    this.boundary = options.from.offset;
    const url = new URL(options.url);
    this.zongji = new ZongJi({
      host: url.hostname,
      port: Number(url.port || 3306),
      user: decodeURIComponent(url.username),
      password: decodeURIComponent(url.password),
      dateStrings: true,
      timezone: 'Z',
      supportBigNumbers: true,
      jsonStrings: true,
      connectTimeout: 3_000,
      enableKeepAlive: true,
    } as ConstructorParameters<typeof ZongJi>[0]);
  }

  start(): void {
    const { zongji, options } = this;
    zongji.on('error', (error: Error) => this.fail(error));
    zongji.on('binlog', (event: BinlogEvent) => {
      try {
        this.onEvent(event);
      } catch (error) {
        this.fail(error as Error);
      }
    });
    zongji.start({
      // Every replica of a server needs an id of its own.
      serverId: 100_000 + Math.floor(Math.random() * 4_000_000_000),
      filename: options.from.file,
      position: options.from.offset,
      includeEvents: ['tablemap', ...Object.keys(KINDS), 'rotate', 'xid', 'query'],
      includeSchema: { [options.database]: [...options.tables] },
    });
    // The reader does not treat it as an error when the server ends the connection.
    this.connection?.on('end', () =>
      this.fail(new UnavailableError('mysql', 'the server closed the binlog connection')),
    );
  }

  stop(): void {
    this.stopped = true;
    this.zongji.stop();
  }

  /** Stops reading until `resume`, while the log has not taken what was read. */
  pause(): void {
    this.paused = true;
    this.connection?.pause();
  }

  /** Ends only a pause of ours: the reader also pauses its connection for its own reasons. */
  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    this.connection?.resume();
  }

  private get connection(): BinlogConnection | null {
    return (this.zongji as unknown as { connection: BinlogConnection | null }).connection;
  }

  private fail(given: Error): void {
    if (this.stopped) return;
    this.stop();
    // The reader emits the error of its first request without a listener, so Node wraps it.
    const { code, context } = given as { code?: string; context?: Error };
    const error = code === 'ERR_UNHANDLED_ERROR' && context ? context : given;
    // Errors of MySQL and of the network have a number or a known code; all others are the reader's.
    const isFromOutside = (error as { errno?: number }).errno !== undefined || isUnavailable(error);
    this.options.onError(
      isFromOutside ? error : new UndecodableEventError(error.message, { cause: error }),
    );
  }

  private onEvent(event: BinlogEvent): void {
    if (this.stopped) return;
    if (!this.open) {
      this.open = true;
      this.options.onOpen();
    }
    const name = event.getEventName();
    const kind = KINDS[name];
    if (kind) return this.onRows(event as RowsEvent, kind);
    switch (name) {
      case 'rotate': {
        const { binlogName, position } = event as RotateEvent;
        this.file = binlogName;
        this.boundary = 0;
        return this.onBoundary(Number(position));
      }
      case 'xid':
        return this.onBoundary(event.nextPosition);
      case 'tablemap':
        return this.onTableMap(event as TableMapEvent);
      case 'query':
        return this.onQuery(event as QueryEvent);
    }
  }

  /**
   * When the table's columns have changed since the event, names would be combined with the values of
   * other columns. The names are looked up again when the binlog is read again.
   */
  private onTableMap({ tableMap, tableId, columnCount }: TableMapEvent): void {
    const table = tableMap[tableId];
    if (!table || table.columnSchemas.length === columnCount) return;
    throw new Error(
      `${table.parentSchema}.${table.tableName} has ${table.columnSchemas.length} columns, but ${columnCount} in the binlog: it contains their names only with binlog_row_metadata=FULL`,
    );
  }

  private onQuery(event: QueryEvent): void {
    const { query, schema, nextPosition } = event;
    if (OPENING.test(query)) return;
    // Otherwise it is DDL, or the COMMIT of a storage engine without transactions.
    const { database, tables } = this.options;
    for (const table of rewrittenTables(query, schema, database, tables))
      this.options.onRows({
        database,
        table,
        kind: 'rewrite',
        position: this.positionOf(event),
        executedAt: event.timestamp,
        rows: [],
      });
    this.onBoundary(nextPosition);
  }

  private onBoundary(offset: number): void {
    // Offsets have 32 bits on the wire: after 4 GiB of a file the next boundary is the next file.
    if (offset <= this.boundary) return;
    this.boundary = offset;
    this.rowEventsSinceBoundary = 0;
    this.options.onBoundary({ file: this.file, offset });
  }

  private onRows(event: RowsEvent, kind: (typeof KINDS)[string]): void {
    const table = event.tableMap[event.tableId];
    if (!table)
      throw new Error(`rows of table ${event.tableId} without a table map event before them`);
    const image = imagesOf(table);
    this.rowEventsSinceBoundary++;
    this.options.onRows({
      database: table.parentSchema,
      table: table.tableName,
      kind,
      position: this.positionOf(event),
      executedAt: event.timestamp,
      rows: event.rows.map((row, ordinal): ChangedRow => {
        if (kind === 'insert') return { ordinal, before: null, after: image(row as RowData) };
        if (kind === 'delete') return { ordinal, before: image(row as RowData), after: null };
        const { before, after } = row as { before: RowData; after: RowData };
        return { ordinal, before: image(before), after: image(after) };
      }),
    });
  }

  /**
   * Where the event begins, as Canal gives it. Some servers send no offsets inside a transaction:
   * there the n-th row event is taken to be n bytes after the boundary. Every event is longer than
   * that, so positions rise through the binlog, and are the same whenever it is read again.
   */
  private positionOf({ nextPosition, size }: BinlogEvent): ChangePosition {
    const checksumBytes = this.zongji.useChecksum ? CHECKSUM_BYTES : 0;
    const begin = nextPosition - size - HEADER_BYTES - checksumBytes;
    const offset = nextPosition === 0 ? this.boundary + this.rowEventsSinceBoundary : begin;
    return { serverId: this.options.serverId, file: this.file, offset };
  }
}

function imagesOf({ columns = [] }: TableEntry): (row: RowData) => RowImage {
  const texts = columns.map(({ name, type }) => [name, columnText(type)] as const);
  return (row) => {
    const image: Record<string, string | null> = {};
    for (const [name, text] of texts) image[name] = text(row[name]);
    return image;
  };
}
