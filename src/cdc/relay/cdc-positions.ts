import type { BinlogPosition } from '../binlog/binlog-position';

const RELAY = 'relay';

export interface SavedPosition extends BinlogPosition {
  /** The server to whose binlog the position belongs; null when it was saved without one. */
  readonly serverId: number | null;
}

type Query = (sql: string, values: (string | number)[]) => Promise<unknown[]>;

/** How far the relay has read, saved in the database that it reads. */
export class CdcPositions {
  /** @param query runs a statement, on the connection that the caller chooses */
  constructor(private readonly query: Query) {}

  async find(): Promise<SavedPosition | undefined> {
    const [row] = (await this.query(
      'SELECT file, position, server_id FROM cdc_positions WHERE name = ?',
      [RELAY],
    )) as { file: string; position: number; server_id: number | null }[];
    return row && { file: row.file, offset: row.position, serverId: row.server_id };
  }

  /** Saves where capture begins for the first time, unless another instance has done so. */
  async begin({ file, offset }: BinlogPosition, serverId: number): Promise<void> {
    await this.query(
      'INSERT IGNORE INTO cdc_positions (name, file, position, server_id) VALUES (?, ?, ?, ?)',
      [RELAY, file, offset, serverId],
    );
  }

  async save({ file, offset }: BinlogPosition, serverId: number): Promise<void> {
    await this.query(
      'UPDATE cdc_positions SET file = ?, position = ?, server_id = ? WHERE name = ?',
      [file, offset, serverId, RELAY],
    );
  }
}
