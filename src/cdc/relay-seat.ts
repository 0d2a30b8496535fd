import { type Connection, createConnection, type RowDataPacket } from 'mysql2/promise';
import { UnavailableError } from '../platform/errors';
import { CdcPositions } from './cdc-positions';

/** Named after the database: several of them may live on one server. */
const LOCK = "CONCAT('webook-relay:', MD5(DATABASE()))";
/** Seconds of silence after which MySQL frees the lock of a relay whose machine is gone. */
const IDLE_LIMIT = 30;
/** Milliseconds for a statement on the seat's connection. */
const TIMEOUT = 5_000;

/**
 * The right to be the one relay of a database: a lock of MySQL's, which ends with the connection that
 * holds it. The position is read and saved through that connection alone, so a relay that has lost
 * its right can never overwrite what its successor has saved.
 */
export class RelaySeat {
  readonly positions = new CdcPositions((sql, values) => this.ask(sql, values));

  private constructor(private readonly connection: Connection) {}

  static async connect(url: string): Promise<RelaySeat> {
    const connection = await createConnection({
      uri: url,
      connectTimeout: 3_000,
      supportBigNumbers: true,
    });
    // Its loss shows by `onLost` and by failing statements.
    connection.on('error', () => undefined);
    await connection.query(`SET SESSION wait_timeout = ${IDLE_LIMIT}`);
    return new RelaySeat(connection);
  }

  /** Takes the seat when it is free. @returns whether it is this one's now */
  async claim(): Promise<boolean> {
    const [row] = await this.ask<{ held: number }>(`SELECT GET_LOCK(${LOCK}, 0) AS held`);
    return row?.held === 1;
  }

  onLost(listener: (error: Error) => void): void {
    this.connection.on('end', () =>
      listener(new UnavailableError('mysql', "the connection with the relay's lock has ended")),
    );
  }

  /** Keeps the seat; to be called more often than every 30 s. @throws when it is lost */
  async confirm(): Promise<void> {
    const [row] = await this.ask<{ held: number }>(
      `SELECT IS_USED_LOCK(${LOCK}) = CONNECTION_ID() AS held`,
    );
    if (row?.held !== 1) throw new UnavailableError('mysql', "the relay's lock is lost");
  }

  release(): void {
    this.connection.destroy();
  }

  private async ask<T>(sql: string, values: (string | number)[] = []): Promise<T[]> {
    const [rows] = await this.connection.query<RowDataPacket[]>({ sql, values, timeout: TIMEOUT });
    return rows as T[];
  }
}
