import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database';
import { captureHeartbeatsTable, MAIN_SOURCE } from './capture-heartbeats.table';

/** A beat that comes sooner after the last one is not written: several instances beat. */
const MIN_INTERVAL_MS = 900;

/** In UTC: a local time may occur twice. */
const NOW = "SELECT TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000 AS now";
/**
 * One statement, so that one event of the binlog has all rows. It is short, since some servers write
 * its text into the binlog too. A row that stays as it is leaves nothing there.
 */
const BEAT = `INSERT INTO ${captureHeartbeatsTable.name} (source, slot, beat_at) VALUES ? ON DUPLICATE KEY UPDATE beat_at = IF(ABS(VALUES(beat_at) - beat_at) < ${MIN_INTERVAL_MS}, beat_at, VALUES(beat_at))`;

/** The SQL of the heartbeat. It waits for no other statement of this process. */
@Injectable()
export class HeartbeatRepository {
  constructor(private readonly database: Database) {}

  /** MySQL's clock, in milliseconds since the epoch. */
  async now(): Promise<number> {
    const [row] = await this.database.reserved.rows<{ now: number }>(NOW);
    return Number(row?.now);
  }

  /** Writes a beat for each slot, unless an instance has done so within the last second. */
  async beat(slots: readonly number[], at: number): Promise<void> {
    await this.database.reserved.queryChange(BEAT, [slots.map((slot) => [MAIN_SOURCE, slot, at])]);
  }
}
