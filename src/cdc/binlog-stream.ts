import ZongJi, { type BinlogEvent, type RotateEvent, type RowData } from '@vlasky/zongji';
import { isUnavailable, UnavailableError } from '../platform/errors';
import type { BinlogPosition } from './binlog-position';
import type { ChangedRows } from './canal-protobuf';
import { capturedTables } from './captured-tables';
import { columnText } from './column-text';
import { rewrittenTables } from './ddl';
import type { ChangePosition, RowImage } from './row-change';

export interface BinlogStreamOptions {
  /** mysql:// URL of the server. */
  url: string;
  /** Whose captured tables are read; spelt as the server does it. */
  database: string;
  serverId: number;
  from: BinlogPosition;
  /** The server sends from `from` on. */
  onOpen(): void;
  onRows(event: ChangedRows): void;
  /** All rows before this position were given. */
  onBoundary(position: BinlogPosition): void;
  /** Called once; the stream has ended. */
  onError(error: Error): void;
}

/** An event that the reader cannot make sense of: reading it again will not help. */
export class UndecodableEventError extends Error {}

interface BinlogConnection {
  on(event: 'end', listener: () => void): void;
  pause(): void;
  resume(): void;
}

interface TableEntry {
  readonly parentSchema: string;
  readonly tableName: string;
  /** The columns that the table had in the binlog or, where that does not name them, has now. */
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
  /** In which unqualified names are meant. */
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

/** Bytes of an event's header; and with the checksum that the reader counts to it. */
const HEADER = 19;
const CHECKSUM = 4;

/** Neither ends a statement whose rows came before; what they begin is read again as a whole. */
const OPENING = /^\s*(BEGIN|SAVEPOINT|XA)\b/i;

/** Reads one server's binlog from a position on and gives the captured tables' rows in order. */
export class BinlogStream {
  private readonly zongji: ZongJi;
  private file: string;
  /** The last boundary in `file`. */
  private boundary: number;
  /** Row events since then. */
  private ordinal = 0;
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
      includeSchema: { [options.database]: [...capturedTables] },
    });
    // A connection that the server ends is not an error to the reader, but it is to us.
    this.connection?.on('end', () =>
      this.fail(new UnavailableError('mysql', 'it has ended the binlog connection')),
    );
  }

  stop(): void {
    this.stopped = true;
    this.zongji.stop();
  }

  /** Holds the server back until `resume`, since what was read is not in the log yet. */
  pause(): void {
    this.paused = true;
    this.connection?.pause();
  }

  /** The reader pauses its connection for reasons of its own too: those are not ended here. */
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
    // The reader emits the answer to its first request where nobody listens, and Node wraps it.
    const { code, context } = given as { code?: string; context?: Error };
    const error = code === 'ERR_UNHANDLED_ERROR' && context ? context : given;
    // What MySQL or the network says has a number or a known code; the rest is the reader's own.
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
   * Of a table that has changed since, the names would stand for other columns' values. Reading
   * again looks them up again.
   */
  private onTableMap({ tableMap, tableId, columnCount }: TableMapEvent): void {
    const table = tableMap[tableId];
    if (!table || table.columnSchemas.length === columnCount) return;
    throw new Error(
      `${table.parentSchema}.${table.tableName} has ${table.columnSchemas.length} columns, but ${columnCount} in the binlog, which names them only with binlog_row_metadata=FULL`,
    );
  }

  private onQuery(event: QueryEvent): void {
    const { query, schema, nextPosition } = event;
    if (OPENING.test(query)) return;
    // COMMIT of tables without transactions, or DDL.
    const { database } = this.options;
    for (const table of rewrittenTables(query, schema, database))
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
    // Offsets have 32 bits on the wire: behind 4 GiB of one file the next file is waited for.
    if (offset <= this.boundary) return;
    this.boundary = offset;
    this.ordinal = 0;
    this.options.onBoundary({ file: this.file, offset });
  }

  private onRows(event: RowsEvent, kind: (typeof KINDS)[string]): void {
    const table = event.tableMap[event.tableId];
    if (!table) throw new Error(`rows of table ${event.tableId}, which was not announced`);
    const image = imagesOf(table);
    this.ordinal++;
    this.options.onRows({
      database: table.parentSchema,
      table: table.tableName,
      kind,
      position: this.positionOf(event),
      executedAt: event.timestamp,
      rows: event.rows.map((row) => {
        if (kind === 'insert') return { before: null, after: image(row as RowData) };
        if (kind === 'delete') return { before: image(row as RowData), after: null };
        const { before, after } = row as { before: RowData; after: RowData };
        return { before: image(before), after: image(after) };
      }),
    });
  }

  /**
   * Where the event begins, as Canal tells it. Some servers send no offsets inside a transaction:
   * there the n-th row event counts as n bytes behind the boundary, and no event is that short, so
   * positions rise through the binlog and are the same whenever it is read again.
   */
  private positionOf({ nextPosition, size }: BinlogEvent): ChangePosition {
    const begin = nextPosition - size - HEADER - (this.zongji.useChecksum ? CHECKSUM : 0);
    const offset = nextPosition === 0 ? this.boundary + this.ordinal : begin;
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
