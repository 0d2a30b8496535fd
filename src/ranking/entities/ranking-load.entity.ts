import { Column, Entity, PrimaryColumn } from 'typeorm';

/** How often a board was loaded from the database; see `RankingRepository.awaitCaptured`. */
@Entity('ranking_loads')
export class RankingLoad {
  @PrimaryColumn({ type: 'varchar', length: 32, collation: 'utf8mb4_bin' })
  board!: string;

  @Column({ type: 'bigint', default: 0 })
  loads!: number;
}
