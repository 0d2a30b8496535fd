import { Column, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';

/** The counters of one business object. Other programs may read and write this table by SQL. */
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

  /** Raised by every change of the program's own; other writers may leave it. */
  @Column({ type: 'bigint', default: 0 })
  version!: number;

  /** Milliseconds since the epoch. */
  @Column({ type: 'bigint', default: 0 })
  ctime!: number;

  @Column({ type: 'bigint', default: 0 })
  utime!: number;
}
