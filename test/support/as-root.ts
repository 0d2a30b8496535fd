import { type Connection, createConnection } from 'mysql2/promise';
import type { Sql } from './sql';

/** Runs `work` on a connection of the server's administrator. */
export async function asRoot(
  sql: Sql,
  work: (root: Connection) => Promise<unknown>,
): Promise<void> {
  const [row] = await sql.rows<{ socket: string }>('SELECT @@socket AS socket');
  const root = await createConnection({ socketPath: row!.socket, user: 'root' });
  try {
    await work(root);
  } finally {
    await root.end();
  }
}
