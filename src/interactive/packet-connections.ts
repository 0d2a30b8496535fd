import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { Pool, PoolConnection } from 'mysql2/promise';
import { Environment } from '../platform/config';
import { type BulkValue, lend, openPool } from '../platform/database';

/** One for each lane of the writer, and one for what that lane has put aside. */
const CONNECTIONS = 4;
/** Seconds that a statement waits for a row lock: the whole group waits with it. */
const LOCK_WAIT = 1;

/** Several statements that travel to the server, and their results back, in one round trip. */
export class Packet {
  private readonly statements: string[] = [];
  private readonly values: BulkValue[] = [];

  /** @returns the index of the statement's result in what `send` gives */
  add(sql: string, ...values: readonly BulkValue[]): number {
    this.values.push(...values);
    return this.statements.push(sql) - 1;
  }

  get sql(): string {
    return this.statements.join(';\n');
  }

  get parameters(): readonly BulkValue[] {
    return this.values;
  }
}

/** Sends a packet; the server stops at the first statement that fails. */
export type SendPacket = (packet: Packet) => Promise<readonly unknown[]>;

/**
 * The group commit's own connections. They take several statements at once, which those of
 * `Database` rightly refuse.
 */
@Injectable()
export class PacketConnections implements OnApplicationShutdown {
  private readonly pool: Pool;

  constructor(@Inject(Environment) environment: Environment) {
    this.pool = openPool(
      environment.MYSQL_URL,
      { connectionLimit: CONNECTIONS, multipleStatements: true },
      [`SET SESSION innodb_lock_wait_timeout = ${LOCK_WAIT}`],
    );
  }

  /**
   * Lends `work` a connection. The packets begin and commit their transaction themselves; when
   * `work` fails, whatever is open is rolled back.
   */
  use<T>(work: (send: SendPacket) => Promise<T>): Promise<T> {
    return lend(this.pool, { inTransaction: true }, (connection) =>
      work((packet) => send(connection, packet)),
    );
  }

  async onApplicationShutdown(): Promise<void> {
    await this.pool.end();
  }
}

async function send(connection: PoolConnection, packet: Packet): Promise<readonly unknown[]> {
  const [results] = await connection.query(packet.sql, packet.parameters as unknown[]);
  return results as unknown[];
}
