import { Column, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';

/** When a user last read an object. */
@Entity('reading_history')
@Index('uq_reading_history_object', ['uid', 'biz', 'bizId'], { unique: true })
@Index('idx_reading_history_newest', ['uid', 'readAt', 'id'])
export class ReadingRecord {
  @PrimaryGeneratedColumn({ type: 'bigint' })
  id!: number;

  @Column({ type: 'bigint' })
  uid!: number;

  @Column({ type: 'varchar', length: 32, collation: 'utf8mb4_bin' })
  biz!: string;

  @Column({ name: 'biz_id', type: 'bigint' })
  bizId!: number;

  /** Milliseconds since the epoch. */
  @Column({ name: 'read_at', type: 'bigint' })
  readAt!: number;
}
