import { Column, Entity, PrimaryColumn } from 'typeorm';

/** The last beat of one partition of the captured changes; see `Heartbeat`. */
@Entity('capture_heartbeats')
export class CaptureHeartbeat {
  /** The MySQL server that is captured; there is one so far. */
  @PrimaryColumn({ type: 'varchar', length: 32, charset: 'ascii', collation: 'ascii_bin' })
  source!: string;

  /** The number that stands for the partition; see `slotsOf`. */
  @PrimaryColumn({ type: 'bigint' })
  slot!: number;

  /** Milliseconds since the epoch, by MySQL's clock. */
  @Column({ name: 'beat_at', type: 'bigint' })
  beatAt!: number;
}
