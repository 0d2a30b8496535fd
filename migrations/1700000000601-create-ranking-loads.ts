import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * A load of a board writes here before it reads. Once that write has committed, every transaction
 * that precedes it in the binlog has committed too and can be read.
 */
export class CreateRankingLoads1700000000601 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE ranking_loads (
        board VARCHAR(32) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
        loads BIGINT NOT NULL DEFAULT 0,
        PRIMARY KEY (board)
      ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE ranking_loads');
  }
}
