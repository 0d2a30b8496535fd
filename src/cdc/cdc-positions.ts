import type { BinlogPosition } from './binlog-position';

const RELAY = 'relay';

export interface SavedPosition extends BinlogPosition {
  /** The server to whose binlog the position belongs; null when it was not noted. */
  readonly serverId: number | null;
}

type Ask = (sql: string, values: (string | number)[]) => Promise<unknown[]>;

/** How far the relay has come, in the database that it reads. */
export class CdcPositions {
  /** @param ask runs a statement on the connection that is to be used */
  constructor(private readonly ask: Ask) {}

  async find(): Promise<SavedPosition | undefined> {
    const [row] = (await this.ask(
      'SELECT file, position, server_id FROM cdc_positions WHERE name = ?',
      [RELAY],
    )) as { file: string; position: number; server_id: number | null }[];
    return row && { file: row.file, offset: row.position, serverId: row.server_id };
  }

  /** Notes where the first start begins, unless another instance was first. */
  async begin({ file, offset }: BinlogPosition, serverId: number): Promise<void> {
    await this.ask(
      'INSERT IGNORE INTO cdc_positions (name, file, position, server_id) VALUES (?, ?, ?, ?)',
      [RELAY, file, offset, serverId],
    );
  }

  async save({ file, offset }: BinlogPosition, serverId: number): Promise<void> {
    await this.ask(
      'UPDATE cdc_positions SET file = ?, position = ?, server_id = ? WHERE name = ?',
      [file, offset, serverId, RELAY],
    );
  }
}
