import ZongJi, { type BinlogEvent } from '@vlasky/zongji';
import type { BinlogPosition } from './binlog-position';
import type { ChangedRows } from './canal-protobuf';
import { columnText } from './column-text';
import type { RowImage } from './row-change';

export interface BinlogStreamOptions {
  /** mysql:// URL of the server. */
  url: string;
  serverId: number;
  database: string;
  tables: readonly string[];
  from: BinlogPosition;
  onRows(event: ChangedRows): void;
  /** A transaction has ended here. */
  onBoundary(position: BinlogPosition): void;
  onError(error: Error): void;
}

interface RowsEvent extends BinlogEvent {
  tableId: number;
  tableMap: Record<number, { parentSchema: string; tableName: string }>;
  rows: (
    Record<string, unknown> | { before: Record<string, unknown>; after: Record<string, unknown> }
  )[];
}

const KINDS: Record<string, ChangedRows['kind']> = {
  writerows: 'insert',
  updaterows: 'update',
  deleterows: 'delete',
};

/** Reads one server's binlog from a position on and gives the captured tables' rows in order. */
export class BinlogStream {
  private readonly zongji: ZongJi;
  private file: string;
  /** Where the transaction that is being read began. */
  private begun: number;
  /** How many row events of it were seen. */
  private ordinal = 0;
  private stopped = false;
  private paused = false;

  constructor(private readonly options: BinlogStreamOptions) {
    this.file = options.from.file;
    this.begun = options.from.offset;
    const url = new URL(options.url);
    this.zongji = new ZongJi({
      host: url.hostname,
      port: Number(url.port || 3306),
      user: decodeURIComponent(url.username),
      password: decodeURIComponent(url.password),
      dateStrings: true,
      timezone: 'Z',
      supportBigNumbers: true,
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
    zongji.on('stopped', () => this.fail(new Error('the binlog connection was closed')));
    zongji.start({
      // Every replica of a server needs an id of its own.
      serverId: 100_000 + Math.floor(Math.random() * 4_000_000_000),
      filename: options.from.file,
      position: options.from.offset,
      includeEvents: [
        'tablemap',
        'writerows',
        'updaterows',
        'deleterows',
        'rotate',
        'xid',
        'query',
      ],
      includeSchema: { [options.database]: [...options.tables] },
    });
    // A connection that the server ends is not an error to the reader, but it is to us.
    const { connection } = zongji as unknown as {
      connection?: { on(event: 'end', listener: () => void): void };
    };
    connection?.on('end', () => this.fail(new Error('MySQL ended the binlog connection')));
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

  private get connection(): { pause(): void; resume(): void } | undefined {
    return (this.zongji as unknown as { connection?: { pause(): void; resume(): void } })
      .connection;
  }

  private fail(error: Error): void {
    if (this.stopped) return;
    this.stop();
    this.options.onError(error);
  }

  private onEvent(event: BinlogEvent): void {
    if (this.stopped) return;
    const name = event.getEventName();
    switch (name) {
      case 'rotate': {
        const { binlogName, position } = event as BinlogEvent & {
          binlogName: string;
          position: number;
        };
        this.file = binlogName;
        this.boundary(Number(position));
        return;
      }
      case 'xid':
        this.boundary(event.nextPosition);
        return;
      case 'query':
        // BEGIN opens a transaction; COMMIT and DDL end one.
        if (!/^\s*(BEGIN|SAVEPOINT|XA)\b/i.test((event as unknown as { query: string }).query))
          this.boundary(event.nextPosition);
        return;
      default:
        if (KINDS[name]) this.onRows(event as RowsEvent, KINDS[name]);
    }
  }

  private boundary(offset: number): void {
    // MariaDB gives no position inside a transaction.
    if (offset <= 0) return;
    this.begun = offset;
    this.ordinal = 0;
    this.options.onBoundary({ file: this.file, offset });
  }

  private onRows(event: RowsEvent, kind: ChangedRows['kind']): void {
    const table = event.tableMap[event.tableId];
    if (!table) return;
    // The n-th row event of a transaction stands n behind its beginning: no event is that short, so
    // positions rise through the log, and they are the same whenever it is read again.
    this.ordinal++;
    this.options.onRows({
      database: table.parentSchema,
      table: table.tableName,
      kind,
      position: {
        serverId: this.options.serverId,
        file: this.file,
        offset: this.begun + this.ordinal,
      },
      executedAt: event.timestamp,
      rows: event.rows.map((row) => {
        if (kind === 'update') {
          const { before, after } = row as {
            before: Record<string, unknown>;
            after: Record<string, unknown>;
          };
          return { before: imageOf(before), after: imageOf(after) };
        }
        const image = imageOf(row as Record<string, unknown>);
        return kind === 'insert' ? { before: null, after: image } : { before: image, after: null };
      }),
    });
  }
}

function imageOf(row: Record<string, unknown>): RowImage {
  const image: Record<string, string | null> = {};
  for (const name in row) image[name] = columnText(row[name]);
  return image;
}
