import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A deletion of a whole reading history that is not finished. */
@Entity('history_deletions')
export class HistoryDeletion {
  @PrimaryColumn({ type: 'bigint' })
  uid!: number;

  /** Milliseconds since the epoch: readings up to then are deleted, and hidden already. */
  @Column({ name: 'deleted_until', type: 'bigint' })
  deletedUntil!: number;
}
