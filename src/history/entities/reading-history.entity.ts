import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** When a user last read an object. */
@Entity('reading_history')
@Index('idx_reading_history_newest', ['uid', 'readAt', 'biz', 'bizId'])
export class ReadingHistory {
  @PrimaryColumn({ type: 'bigint' })
  uid!: number;

  @PrimaryColumn({ type: 'varchar', length: 32, collation: 'utf8mb4_bin' })
  biz!: string;

  @PrimaryColumn({ name: 'biz_id', type: 'bigint' })
  bizId!: number;

  /** Milliseconds since the epoch. */
  @Column({ name: 'read_at', type: 'bigint' })
  readAt!: number;
}
