import { Injectable } from '@nestjs/common';
import { Environment } from '../../platform/config';
import { Database } from '../../platform/database';
import type { BinlogPosition } from './binlog-position';
import { BinlogUnavailableError } from './binlog-unavailable.error';

/** Settings without which changes would be missing, and what to set. The server may lack some. */
const REQUIRED: readonly (readonly [name: string, value: RegExp, remedy: string])[] = [
  ['log_bin', /^(ON|1)$/i, 'start MySQL with log_bin'],
  ['binlog_format', /^ROW$/i, 'set binlog_format=ROW'],
  ['binlog_row_image', /^FULL$/i, 'set binlog_row_image=FULL'],
  ['binlog_row_value_options', /^$/, 'clear binlog_row_value_options'],
];

/** "Access denied; you need the … privilege", of a statement as well as of a binlog dump. */
const ACCESS_DENIED = 1227;
const SYNTAX_ERROR = 1064;

/** The relay's queries about MySQL's binlog. */
@Injectable()
export class BinlogServer {
  constructor(
    private readonly database: Database,
    private readonly environment: Environment,
  ) {}

  /** @throws BinlogUnavailableError that names the settings which capture cannot work with */
  async check(): Promise<void> {
    const fault = await this.settingsFault();
    if (fault !== undefined)
      throw new BinlogUnavailableError(
        `MySQL's changes cannot be captured (CDC_ENGINE=relay). ${fault}.`,
      );
  }

  /** The settings which capture cannot work with, and what to set; undefined when all are right. */
  async settingsFault(): Promise<string | undefined> {
    const rows = await this.database.queryRows<{ Variable_name: string; Value: string }>(
      'SHOW GLOBAL VARIABLES WHERE Variable_name IN (?)',
      [REQUIRED.map(([name]) => name)],
    );
    const values = new Map(rows.map((row) => [row.Variable_name.toLowerCase(), row.Value]));
    const faults = REQUIRED.flatMap(([name, wanted, remedy]) => {
      const value = values.get(name);
      return value === undefined || wanted.test(value) ? [] : [`${name} is ${value}: ${remedy}`];
    });
    return faults.length > 0 ? faults.join('; ') : undefined;
  }

  /**
   * The current end of the binlog.
   * @throws BinlogUnavailableError when there is none, or the user may not read it
   */
  async end(): Promise<BinlogPosition> {
    const [row] = await this.status().catch((error: unknown) => {
      throw this.explain(error as Error);
    });
    if (!row) throw new BinlogUnavailableError('MySQL writes no binlog: start it with log_bin.');
    return { file: row.File, offset: Number(row.Position) };
  }

  /** The number that identifies a server in its replication. */
  async id(): Promise<number> {
    const [row] = await this.database.queryRows<{ id: number }>('SELECT @@server_id AS id', []);
    return Number(row?.id ?? 0);
  }

  /** The error itself, or one that names the missing grant. */
  explain(error: Error): Error {
    if ((error as { errno?: number }).errno !== ACCESS_DENIED) return error;
    const user = decodeURIComponent(new URL(this.environment.MYSQL_URL).username);
    return new BinlogUnavailableError(
      `MySQL's user "${user}" may not read the binlog (${error.message}): GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO that user, or set CDC_ENGINE=canal.`,
    );
  }

  /** MySQL 8.2 renamed the statement, and 8.4 removed the old name. */
  private async status(): Promise<{ File: string; Position: number }[]> {
    try {
      return await this.database.queryRows('SHOW MASTER STATUS', []);
    } catch (error) {
      if ((error as { errno?: number }).errno !== SYNTAX_ERROR) throw error;
      return this.database.queryRows('SHOW BINARY LOG STATUS', []);
    }
  }
}
