import { Injectable } from '@nestjs/common';
import { Database } from '../platform/database';
import type { BinlogPosition } from './binlog-position';
import { hashColumnOf } from './captured-tables';

const RELAY = 'relay';

/** A server that writes no binlog, or a user who may not read it. */
export class BinlogUnavailableError extends Error {}

/** The relay's durable position, and what it asks the server. */
@Injectable()
export class RelayRepository {
  constructor(private readonly database: Database) {}

  async position(): Promise<BinlogPosition | undefined> {
    const [row] = await this.database.rows<{ file: string; position: number }>(
      'SELECT file, position FROM cdc_positions WHERE name = ?',
      [RELAY],
    );
    return row && { file: row.file, offset: row.position };
  }

  /** Keeps the position of the first start, unless another instance was first. */
  async begin({ file, offset }: BinlogPosition): Promise<void> {
    await this.database.change(
      'INSERT IGNORE INTO cdc_positions (name, file, position) VALUES (?, ?, ?)',
      [RELAY, file, offset],
    );
  }

  async save({ file, offset }: BinlogPosition): Promise<void> {
    await this.database.change('UPDATE cdc_positions SET file = ?, position = ? WHERE name = ?', [
      file,
      offset,
      RELAY,
    ]);
  }

  /**
   * The end of the server's binlog now.
   * @throws BinlogUnavailableError when it writes none or the user may not ask
   */
  async end(): Promise<BinlogPosition> {
    const rows = await this.status();
    const [row] = rows;
    if (!row)
      throw new BinlogUnavailableError(
        'MySQL writes no binlog: start it with log_bin, binlog_format=ROW and binlog_row_image=FULL.',
      );
    return { file: row.File, offset: Number(row.Position) };
  }

  async serverId(): Promise<number> {
    const [row] = await this.database.bulkRows<{ id: number }>('SELECT @@server_id AS id', []);
    return row?.id ?? 0;
  }

  /** The program's own database and those of its tables that are captured. */
  async capturedTables(): Promise<{ database: string; tables: string[] }> {
    const rows = await this.database.bulkRows<{ db: string; name: string }>(
      'SELECT TABLE_SCHEMA AS db, TABLE_NAME AS name FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()',
      [],
    );
    const tables = rows.map(({ name }) => name).filter((name) => hashColumnOf(name) !== undefined);
    return { database: rows[0]?.db ?? '', tables };
  }

  /** @throws BinlogUnavailableError naming the setting that the relay needs otherwise */
  async checkFormat(): Promise<void> {
    const [row] = await this.database.bulkRows<{ format: string; image: string }>(
      'SELECT @@GLOBAL.binlog_format AS format, @@GLOBAL.binlog_row_image AS image',
      [],
    );
    if (row?.format !== 'ROW')
      throw new BinlogUnavailableError(`binlog_format is ${row?.format}: set it to ROW.`);
    if (row.image !== 'FULL')
      throw new BinlogUnavailableError(`binlog_row_image is ${row.image}: set it to FULL.`);
  }

  /** MySQL 8.4 renamed the statement, and 9 no longer knows the old name. */
  private async status(): Promise<{ File: string; Position: number }[]> {
    try {
      return await this.database.bulkRows('SHOW MASTER STATUS', []);
    } catch (error) {
      const { errno, message } = error as { errno?: number; message: string };
      if (errno === 1227)
        throw new BinlogUnavailableError(
          `MySQL's user may not read the binlog (${message}): GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO it.`,
        );
      if (errno !== 1064) throw error;
      return this.database.bulkRows('SHOW BINARY LOG STATUS', []);
    }
  }
}
