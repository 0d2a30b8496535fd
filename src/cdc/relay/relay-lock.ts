import { type Connection, createConnection, type RowDataPacket } from 'mysql2/promise';
import { namedLock } from '../../platform/database';
import { UnavailableError } from '../../platform/errors';
import { CdcPositions } from './cdc-positions';

/** Silence after which MySQL closes the connection, and frees the lock of a machine that is gone. */
const IDLE_TIMEOUT_SECONDS = 30;
const STATEMENT_TIMEOUT_MS = 5_000;

/**
 * A lock in MySQL: the instance that holds it is the one relay of the database. The lock ends with its
 * connection. The position is read and saved through that connection only, so a relay that has lost
 * the lock can never overwrite what its successor has saved.
 */
export class RelayLock {
  readonly positions = new CdcPositions((sql, values) => this.query(sql, values));

  private constructor(
    private readonly connection: Connection,
    private readonly name: string,
  ) {}

  static async connect(url: string): Promise<RelayLock> {
    const connection = await createConnection({
      uri: url,
      connectTimeout: 3_000,
      supportBigNumbers: true,
    });
    // `onLost` and failing statements report its loss.
    connection.on('error', () => undefined);
    await connection.query(`SET SESSION wait_timeout = ${IDLE_TIMEOUT_SECONDS}, autocommit = 1`);
    return new RelayLock(connection, await namedLock(connection, 'webook-relay'));
  }

  /** Takes the lock if it is free. @returns whether this instance holds it now */
  async claim(): Promise<boolean> {
    const [row] = await this.query<{ held: number }>('SELECT GET_LOCK(?, 0) AS held', [this.name]);
    return row?.held === 1;
  }

  onLost(listener: (error: Error) => void): void {
    this.connection.on('end', () =>
      listener(new UnavailableError('mysql', "the connection that holds the relay's lock ended")),
    );
  }

  /** Keeps the lock; to be called more often than every 30 s. @throws when the lock is lost */
  async confirm(): Promise<void> {
    const [row] = await this.query<{ held: number }>(
      'SELECT IS_USED_LOCK(?) = CONNECTION_ID() AS held',
      [this.name],
    );
    if (row?.held !== 1) throw new UnavailableError('mysql', "the relay's lock is lost");
  }

  release(): void {
    this.connection.destroy();
  }

  private async query<T>(sql: string, values: (string | number)[] = []): Promise<T[]> {
    const timeout = STATEMENT_TIMEOUT_MS;
    const [rows] = await this.connection.query<RowDataPacket[]>({ sql, values, timeout });
    return rows as T[];
  }
}
