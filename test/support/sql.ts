import { type Connection, createConnection, type ResultSetHeader } from 'mysql2/promise';

/** A connection of the test's own: what it writes goes past the program. */
export class Sql {
  private constructor(private readonly connection: Connection) {}

  static async open(url: string): Promise<Sql> {
    return new Sql(await createConnection({ uri: url, supportBigNumbers: true }));
  }

  async rows<T>(text: string, values: unknown[] = []): Promise<T[]> {
    const [rows] = await this.connection.query(text, values);
    return rows as T[];
  }

  async change(text: string, values: unknown[] = []): Promise<ResultSetHeader> {
    const [result] = await this.connection.query<ResultSetHeader>(text, values);
    return result;
  }

  async close(): Promise<void> {
    await this.connection.end();
  }
}
