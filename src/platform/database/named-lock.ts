import { createHash } from 'node:crypto';
import type { Connection, RowDataPacket } from 'mysql2/promise';

/**
 * The name of a lock in MySQL for the connection's database: a server may have several. MD5 only
 * shortens the database's name, so that the lock's has at most 64 characters. It is computed here,
 * since MySQL 9.6 has no MD5() any more; its result stays, since instances of earlier versions, which
 * run beside this one during an upgrade, take locks of these names.
 * @param purpose the beginning of the name, e.g. `webook-relay`
 */
export async function namedLock(connection: Connection, purpose: string): Promise<string> {
  const [[row]] = await connection.query<RowDataPacket[]>('SELECT DATABASE() AS name');
  return lockName(purpose, String(row?.name));
}

export const lockName = (purpose: string, database: string): string =>
  `${purpose}:${createHash('md5').update(database).digest('hex')}`;
