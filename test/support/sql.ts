import { type Connection, createConnection, type ResultSetHeader } from 'mysql2/promise';

const DEADLOCK = 1213;
const IN_TRANSACTION = 1;

/** A connection of the test's own: what it writes goes past the program. */
export class Sql {
  private isInTransaction = false;

  private constructor(private readonly connection: Connection) {}

  static async open(url: string): Promise<Sql> {
    return new Sql(await createConnection({ uri: url, supportBigNumbers: true }));
  }

  async rows<T>(text: string, values: unknown[] = []): Promise<T[]> {
    const [rows] = await this.connection.query(text, values);
    return rows as T[];
  }

  /**
   * A statement of its own is run again when it was the victim of a deadlock with the program, as
   * every client of a database has to; within a transaction all of it is lost, and the error tells.
   */
  async change(text: string, values: unknown[] = []): Promise<ResultSetHeader> {
    for (;;) {
      try {
        const [result] = await this.connection.query<ResultSetHeader>(text, values);
        this.isInTransaction = (result.serverStatus & IN_TRANSACTION) !== 0;
        return result;
      } catch (error) {
        if (this.isInTransaction || (error as { errno?: number }).errno !== DEADLOCK) throw error;
      }
    }
  }

  async close(): Promise<void> {
    await this.connection.end();
  }
}
