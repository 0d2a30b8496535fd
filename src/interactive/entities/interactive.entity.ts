import { Column, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';

/** The counts of one business object; see the migration for what the indexes are for. */
@Entity('interactives')
@Index('uq_interactives_object', ['bizId', 'biz'], { unique: true })
@Index('idx_interactives_likes', ['likeCnt', 'id'])
@Index('idx_interactives_reads', ['readCnt', 'id'])
@Index('idx_interactives_collects', ['collectCnt', 'id'])
export class Interactive {
  @PrimaryGeneratedColumn({ type: 'bigint' })
  id!: number;

  @Column({ type: 'varchar', length: 32, collation: 'utf8mb4_bin' })
  biz!: string;

  @Column({ name: 'biz_id', type: 'bigint' })
  bizId!: number;

  @Column({ name: 'read_cnt', type: 'bigint', default: 0 })
  readCnt!: number;

  @Column({ name: 'like_cnt', type: 'bigint', default: 0 })
  likeCnt!: number;

  @Column({ name: 'collect_cnt', type: 'bigint', default: 0 })
  collectCnt!: number;

  /** Raised in every UPDATE of ours. */
  @Column({ type: 'bigint', default: 0 })
  version!: number;

  /** Milliseconds since the epoch. */
  @Column({ type: 'bigint', default: 0 })
  ctime!: number;

  /** Milliseconds since the epoch. */
  @Column({ type: 'bigint', default: 0 })
  utime!: number;
}
