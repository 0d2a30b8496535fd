import { Column, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';

/** A user's folder. */
@Entity('collections')
@Index('uq_collections_name', ['name', 'uid'], { unique: true })
@Index('uq_collections_default', ['defaultOf'], { unique: true })
@Index('idx_collections_owner', ['uid', 'id'])
export class Collection {
  @PrimaryGeneratedColumn({ type: 'bigint' })
  id!: number;

  @Column({ type: 'bigint' })
  uid!: number;

  /** Null while the folder is being deleted. */
  @Column({ type: 'varchar', length: 64, collation: 'utf8mb4_bin', nullable: true })
  name!: string | null;

  /** The user whose default folder this is. */
  @Column({ name: 'default_of', type: 'bigint', nullable: true })
  defaultOf!: number | null;

  @Column({ type: 'bigint', default: 0 })
  ctime!: number;

  @Column({ type: 'bigint', default: 0 })
  utime!: number;
}
