import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** A user's like of an object; see the migration for what the indexes are for. */
@Entity('likes')
@Index('idx_likes_object', ['bizId', 'biz', 'status'])
@Index('idx_likes_newest', ['uid', 'status', 'utime', 'biz', 'bizId'])
@Index('idx_likes_newest_of_biz', ['uid', 'biz', 'status', 'utime', 'bizId'])
export class Like {
  @PrimaryColumn({ type: 'bigint' })
  uid!: number;

  @PrimaryColumn({ type: 'varchar', length: 32, collation: 'utf8mb4_bin' })
  biz!: string;

  @PrimaryColumn({ name: 'biz_id', type: 'bigint' })
  bizId!: number;

  /** 1 = liked, 2 = taken back. */
  @Column({ type: 'tinyint' })
  status!: number;

  /** Raised at every transition. */
  @Column({ type: 'bigint', default: 1 })
  version!: number;

  @Column({ type: 'bigint', default: 0 })
  ctime!: number;

  @Column({ type: 'bigint', default: 0 })
  utime!: number;
}
