import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** An object that a user collected, in one of their folders. */
@Entity('collection_items')
@Index('idx_collection_items_object', ['bizId', 'biz', 'status'])
@Index('idx_collection_items_folder', ['collectionId', 'status', 'utime', 'biz', 'bizId'])
export class CollectionItem {
  @PrimaryColumn({ type: 'bigint' })
  uid!: number;

  @PrimaryColumn({ type: 'varchar', length: 32, collation: 'utf8mb4_bin' })
  biz!: string;

  @PrimaryColumn({ name: 'biz_id', type: 'bigint' })
  bizId!: number;

  @Column({ name: 'collection_id', type: 'bigint' })
  collectionId!: number;

  /** 1 = collected, 2 = taken back. */
  @Column({ type: 'tinyint' })
  status!: number;

  /** Raised at every change, a move to another folder included. */
  @Column({ type: 'bigint', default: 1 })
  version!: number;

  @Column({ type: 'bigint', default: 0 })
  ctime!: number;

  @Column({ type: 'bigint', default: 0 })
  utime!: number;
}
