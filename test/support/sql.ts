import { type Connection, createConnection, type ResultSetHeader } from 'mysql2/promise';

const DEADLOCK = 1213;
const IN_TRANSACTION = 1;

/** The test's own connection: its writes bypass the program. */
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
   * A single statement that loses a deadlock with the program is run again, as every client of a
   * database must do. Within a transaction all its statements are lost, and the error is thrown.
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
