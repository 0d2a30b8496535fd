import ZongJi, { type BinlogEvent, type RotateEvent, type RowData } from '@vlasky/zongji';
import { isUnavailable, UnavailableError } from '../../platform/errors';
import type { ChangePosition, RowImage } from '../row-change';
import { BinlogPackets, type MappedTable, type Packet, type Read } from './binlog-packets';
import type { BinlogPosition } from './binlog-position';
import type { ChangedRow, ChangedRows } from './changed-rows';
import { columnText } from './column-text';
import { rewrittenTables } from './rewritten-tables';
import { XaTransactions } from './xa-transactions';

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
  /** Called for captured rows; with a rewrite for what changes rows without showing them. */
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
  query(sql: string, done: (error: Error | null) => void): void;
  pause(): void;
  resume(): void;
}

interface ControlConnection {
  query(sql: string, done: (error: Error | null) => void): void;
  execute<Row>(
    sql: string,
    values: string[],
    done: (error: Error | null, rows: Row[]) => void,
  ): void;
}

interface ColumnSchema {
  readonly COLUMN_NAME: string;
}

interface TableEntry {
  readonly parentSchema: string;
  readonly tableName: string;
  /** The table's columns as the binlog names them or, where it does not, as the table has them now. */
  readonly columnSchemas: readonly ColumnSchema[];
  readonly columns?: readonly { readonly name: string; readonly type: number }[];
}

interface TableMapEvent extends BinlogEvent {
  readonly tableId: number;
  readonly schemaName: string;
  readonly tableName: string;
  readonly columnCount: number;
}

interface QueryEvent extends BinlogEvent {
  readonly query: string;
  /** To which unqualified names belong. */
  readonly schema: string;
}

/** Before each transaction on MariaDB, which writes no XA START. */
interface MariadbGtidEvent extends BinlogEvent {
  readonly preparedXa: boolean;
  readonly xidGtrid: Buffer;
  readonly xidBqual: Buffer;
  readonly xidFormatId: number;
}

interface XaPrepareEvent extends BinlogEvent {
  /** It was committed at once. */
  readonly onePhase: boolean;
}

interface RowsEvent extends BinlogEvent {
  readonly tableId: number;
  readonly numberOfColumns: number;
  /** A bit for each column that the images have; of an update, the images before it. */
  readonly columns_present_bitmap: Buffer;
  /** Of an update, a bit for each column that the images after it have. */
  readonly columns_present_bitmap2?: Buffer;
  readonly rows: readonly (RowData | { before: RowData; after: RowData })[];
}

/** What the reader does not show, but leaves to be replaced. */
interface ReaderInternals {
  readonly connection: BinlogConnection | null;
  readonly ctrlConnection: ControlConnection | null;
  readonly tableMap: Record<number, TableEntry>;
  readonly BinlogClass: {
    readonly prototype: { binlogData(packet: Packet, connection: unknown): unknown };
  };
  _isChecksumEnabled(done: (error: Error | null, isEnabled: boolean) => void): void;
  _fetchTableInfo(event: TableMapEvent, done: () => void): void;
}

const KINDS: Readonly<Record<string, 'insert' | 'update' | 'delete'>> = {
  writerows: 'insert',
  updaterows: 'update',
  deleterows: 'delete',
};

/** What is read besides rows. */
const EVENTS = ['tablemap', 'rotate', 'xid', 'query', 'mariadbgtid', 'xaprepare'];

/** None of these ends a transaction: reading on after them would give only a part of it. */
const OPENING = /^\s*(BEGIN|SAVEPOINT|XA\s+END)\b/i;
const XA = /^\s*XA\s+(START|BEGIN|COMMIT|ROLLBACK)\s+([^]*?)(\s+ONE\s+PHASE)?\s*$/i;

/** Seconds of silence after which MySQL closes the reader's second connection: the longest that all take. */
const IDLE_TIMEOUT_SECONDS = 2_147_483;
/** Longer values are left out of images: no column that a consumer reads is as long, and all are buffered. */
const MAX_VALUE_LENGTH = 1_000;
/** Characters of a statement in a rewrite's cause. */
const MAX_STATEMENT_LENGTH = 200;

const COLUMNS_OF_TABLE = `SELECT COLUMN_NAME, COLLATION_NAME, CHARACTER_SET_NAME, COLUMN_COMMENT, COLUMN_TYPE
  FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? ORDER BY ORDINAL_POSITION`;

/** Reads one server's binlog from a position on and passes on the captured tables' rows in order. */
export class BinlogStream {
  private readonly zongji: ZongJi;
  private readonly packets: BinlogPackets;
  private readonly xa = new XaTransactions();
  private file: string;
  /** The offset of the last boundary in `file`. */
  private boundary: number;
  private rowEventsSinceBoundary = 0;
  /** Milliseconds since the epoch of the last event. */
  private executedAt = 0;
  /** The columns of the tables in the compressed transaction that is being read. */
  private columnsInPayload: ReadonlyMap<string, readonly ColumnSchema[]> | undefined;
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
    this.packets = new BinlogPackets({
      readAll: (packets, tables, read) => this.readAll(packets, tables, read),
      onUnreadableRows: (tableId, cause) => this.onUnreadableRows(tableId, cause),
      onUnreadable: (cause) => this.onRewrite('', cause),
    });
  }

  start(): void {
    const { zongji, reader, options } = this;
    zongji.on('error', (error: Error) => this.fail(error));
    zongji.on('binlog', (event: BinlogEvent) => {
      try {
        this.onEvent(event);
      } catch (error) {
        this.fail(error as Error);
      }
    });
    // The packets have their checksums removed, which may begin and end with each binlog file.
    reader._isChecksumEnabled = (done) =>
      reader.connection?.query("SET @master_binlog_checksum = 'NONE'", (error) =>
        done(error, false),
      );
    reader._fetchTableInfo = (event, done) => this.fetchColumns(event, done);
    zongji.on('ready', () => this.receivePackets());
    zongji.start({
      // Every replica of a server needs an id of its own.
      serverId: 100_000 + Math.floor(Math.random() * 4_000_000_000),
      filename: options.from.file,
      position: options.from.offset,
      includeEvents: [...EVENTS, ...Object.keys(KINDS)],
      includeSchema: { [options.database]: [...options.tables] },
    });
    // It is idle until columns are looked up, or the stream stops.
    reader.ctrlConnection?.query(
      `SET SESSION wait_timeout = ${IDLE_TIMEOUT_SECONDS}`,
      (error) => error && this.fail(error),
    );
    // The reader does not treat it as an error when the server ends the connection.
    reader.connection?.on('end', () =>
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
    this.reader.connection?.pause();
  }

  /** Ends only a pause of ours: the reader also pauses its connection for its own reasons. */
  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    this.reader.connection?.resume();
  }

  private get reader(): ReaderInternals {
    return this.zongji as unknown as ReaderInternals;
  }

  private fail(given: Error): void {
    if (this.stopped) return;
    // The reader emits the error of its first request without a listener, so Node wraps it.
    const { code, context } = given as { code?: string; context?: Error };
    const error = code === 'ERR_UNHANDLED_ERROR' && context ? context : given;
    // Errors of MySQL and of the network have a number or a known code; all others are the reader's.
    const isFromOutside = (error as { errno?: number }).errno !== undefined || isUnavailable(error);
    const { tableOfRows } = this.packets;
    if (!isFromOutside && tableOfRows !== undefined && this.reader.tableMap[tableOfRows])
      return this.onUnreadableRows(tableOfRows, error.message);
    this.stop();
    this.options.onError(
      isFromOutside ? error : new UndecodableEventError(error.message, { cause: error }),
    );
  }

  /** Puts `packets` between the connection and the reader. */
  private receivePackets(): void {
    const { packets } = this;
    const { prototype } = this.reader.BinlogClass;
    const { binlogData } = prototype;
    prototype.binlogData = function (packet, connection) {
      if (packet.isEOF() || packet.isError()) return binlogData.call(this, packet, connection);
      packets.receive(packet, (event) => void binlogData.call(this, event, connection));
      return prototype.binlogData;
    };
  }

  /**
   * Gives the reader a transaction's events at once. It must not look up columns in between, since
   * events that the connection has received meanwhile would overtake the rest.
   */
  private readAll(packets: readonly Packet[], mapped: readonly MappedTable[], read: Read): void {
    const { connection, tableMap } = this.reader;
    if (!connection) return;
    const tables = mapped.filter(({ tableId, schema, name, columnCount }) => {
      const known = tableMap[tableId];
      return (
        schema === this.options.database &&
        this.options.tables.includes(name) &&
        (known?.tableName !== name || known.columns?.length !== columnCount)
      );
    });
    const found = new Map<string, readonly ColumnSchema[]>();
    const readNow = (): void => {
      this.columnsInPayload = found;
      // The reader pauses for columns that are here already.
      Object.assign(connection, { pause: () => undefined, resume: () => undefined });
      try {
        for (const packet of packets) if (!this.stopped) read(packet);
      } finally {
        this.columnsInPayload = undefined;
        delete (connection as Partial<BinlogConnection>).pause;
        delete (connection as Partial<BinlogConnection>).resume;
      }
    };
    if (tables.length === 0) return readNow();
    connection.pause();
    let missing = tables.length;
    for (const { name } of tables)
      this.queryColumns(name, (columns) => {
        found.set(name, columns);
        if (--missing > 0) return;
        readNow();
        if (!this.stopped && !this.paused) connection.resume();
      });
  }

  /** Looks up columns which the binlog does not name; the reader has paused its connection. */
  private fetchColumns(event: TableMapEvent, done: () => void): void {
    const { schemaName, tableName, tableId, columnCount } = event;
    const { connection, tableMap } = this.reader;
    const use = (columnSchemas: readonly ColumnSchema[]): void => {
      tableMap[tableId] = { columnSchemas, parentSchema: schemaName, tableName };
      if (columnSchemas.length === columnCount) return done();
      // Names would be combined with the values of other columns.
      this.onUnreadableRows(
        tableId,
        columnSchemas.length === 0
          ? 'it no longer exists'
          : `it has ${columnSchemas.length} columns, but ${columnCount} in the binlog: that contains their names only with binlog_row_metadata=FULL`,
      );
      // The reader then leaves out the rows that follow.
      delete tableMap[tableId];
      connection?.resume();
    };
    const known = this.columnsInPayload?.get(tableName);
    if (known) use(known);
    else this.queryColumns(tableName, use);
  }

  private queryColumns(table: string, done: (columns: readonly ColumnSchema[]) => void): void {
    this.reader.ctrlConnection?.execute<ColumnSchema>(
      COLUMNS_OF_TABLE,
      [this.options.database, table],
      (error, columns) => {
        if (this.stopped) return;
        if (error) return this.fail(error);
        try {
          done(columns);
        } catch (fault) {
          this.fail(fault as Error);
        }
      },
    );
  }

  private onEvent(event: BinlogEvent): void {
    if (this.stopped) return;
    if (!this.open) {
      this.open = true;
      this.options.onOpen();
    }
    if (event.timestamp > 0) this.executedAt = event.timestamp;
    const name = event.getEventName();
    const kind = KINDS[name];
    if (kind) return this.onRows(event as RowsEvent, kind);
    switch (name) {
      case 'rotate': {
        this.endXa();
        const { binlogName, position } = event as RotateEvent;
        this.file = binlogName;
        this.boundary = 0;
        return this.onBoundary(Number(position));
      }
      case 'xid':
        this.endXa();
        return this.onBoundary(event.nextPosition);
      case 'query':
        return this.onQuery(event as QueryEvent);
      case 'mariadbgtid': {
        const { preparedXa, xidGtrid, xidBqual, xidFormatId } = event as MariadbGtidEvent;
        this.endXa();
        if (preparedXa)
          this.xa.start(
            `x'${xidGtrid.toString('hex')}',x'${xidBqual.toString('hex')}',${xidFormatId}`,
          );
        return;
      }
      case 'xaprepare':
        // With `XA COMMIT … ONE PHASE` it is committed.
        if ((event as XaPrepareEvent).onePhase) this.endXa();
        else this.xa.prepare();
        return this.onBoundary(event.nextPosition);
    }
  }

  private onQuery({ query, schema, nextPosition }: QueryEvent): void {
    if (OPENING.test(query)) return;
    const [, verb, name = ''] = XA.exec(query) ?? [];
    if (verb) {
      // The name is written by the server, always in the same form.
      if (this.onXa(verb.toUpperCase(), name.toLowerCase())) this.onBoundary(nextPosition);
      return;
    }
    // Otherwise it is DDL, a change that was logged as a statement, or the COMMIT of a storage engine
    // without transactions.
    const { database, tables } = this.options;
    for (const table of rewrittenTables(query, schema, database, tables))
      this.onRewrite(table, query.slice(0, MAX_STATEMENT_LENGTH));
    this.onBoundary(nextPosition);
  }

  /** @returns whether the binlog can be read on after it */
  private onXa(verb: string, name: string): boolean {
    this.endXa();
    switch (verb) {
      case 'COMMIT': {
        const cause = `the XA transaction ${name} was committed`;
        for (const table of this.xa.commit(name) ?? ['']) this.onRewrite(table, cause);
        return true;
      }
      case 'ROLLBACK':
        this.xa.rollback(name);
        return true;
      default:
        this.xa.start(name);
        return false;
    }
  }

  /** The open XA transaction ends unprepared: its changes, or some of them, are committed. */
  private endXa(): void {
    for (const table of this.xa.end()) this.onRewrite(table, 'an XA transaction was committed');
  }

  private onBoundary(offset: number): void {
    // Offsets have 32 bits on the wire: after 4 GiB of a file the next boundary is the next file.
    if (offset <= this.boundary || this.xa.isOpen) return;
    this.boundary = offset;
    this.rowEventsSinceBoundary = 0;
    this.options.onBoundary({ file: this.file, offset });
  }

  private onUnreadableRows(tableId: number, cause: string): void {
    const table = this.reader.tableMap[tableId];
    // Those of other tables are not read.
    if (table)
      this.onRewrite(
        table.tableName,
        `rows after ${this.file}:${this.boundary} cannot be read: ${cause}`,
      );
  }

  /** @param table empty for any */
  private onRewrite(table: string, cause: string): void {
    if (this.xa.isOpen) return this.xa.touch(table);
    const { database, serverId } = this.options;
    const offset = this.boundary + ++this.rowEventsSinceBoundary;
    this.options.onRows({
      database,
      table,
      kind: 'rewrite',
      position: { serverId, file: this.file, offset },
      executedAt: this.executedAt,
      cause,
      rows: [],
    });
  }

  private onRows(event: RowsEvent, kind: (typeof KINDS)[string]): void {
    const table = this.reader.tableMap[event.tableId];
    if (!table)
      throw new Error(`rows of table ${event.tableId} without a table map event before them`);
    // Not before they are committed, and then the table is read again: there may be very many.
    if (this.xa.isOpen) return this.xa.touch(table.tableName);
    const first = imagesOf(table, event.columns_present_bitmap);
    const second = event.columns_present_bitmap2
      ? imagesOf(table, event.columns_present_bitmap2)
      : first;
    this.rowEventsSinceBoundary++;
    this.options.onRows({
      database: table.parentSchema,
      table: table.tableName,
      kind,
      position: this.positionOf(event),
      executedAt: event.timestamp,
      rows: event.rows.map((row, ordinal): ChangedRow => {
        if (kind === 'insert') return { ordinal, before: null, after: first(row as RowData) };
        if (kind === 'delete') return { ordinal, before: first(row as RowData), after: null };
        const { before, after } = row as { before: RowData; after: RowData };
        return { ordinal, before: first(before), after: second(after) };
      }),
    });
  }

  /**
   * Where the event begins, as Canal gives it. Some servers send no offsets inside a transaction:
   * there the n-th row event is taken to be n bytes after the boundary. Every event is longer than
   * that, so positions rise through the binlog, and are the same whenever it is read again.
   */
  private positionOf(event: BinlogEvent): ChangePosition {
    const offset =
      event.nextPosition === 0
        ? this.boundary + this.rowEventsSinceBoundary
        : this.packets.beginOf(event);
    return { serverId: this.options.serverId, file: this.file, offset };
  }
}

/**
 * Reads rows as images. Columns that are not in the binlog are missing in them: the reader gives NULL
 * for a column that is not logged (binlog_row_image=MINIMAL).
 * @param present a bit for each column that is in the binlog
 */
function imagesOf({ columns = [] }: TableEntry, present: Buffer): (row: RowData) => RowImage {
  const texts = columns.flatMap(({ name, type }, index) =>
    present[index >> 3]! & (1 << (index & 7)) ? [[name, columnText(type)] as const] : [],
  );
  return (row) => {
    const image: Record<string, string | null> = {};
    for (const [name, text] of texts) {
      const value = text(row[name]);
      if (value === null || value.length <= MAX_VALUE_LENGTH) image[name] = value;
    }
    return image;
  };
}
