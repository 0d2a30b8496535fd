import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * One row per user and object with the time of the latest read. `idx_reading_history_newest` is the
 * order of a user's list, so that a page is one range scan whatever its depth.
 */
export class CreateReadingHistory1700000000402 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE reading_history (
        id BIGINT NOT NULL AUTO_INCREMENT,
        uid BIGINT NOT NULL,
        biz VARCHAR(32) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
        biz_id BIGINT NOT NULL,
        read_at BIGINT NOT NULL,
        PRIMARY KEY (id),
        UNIQUE KEY uq_reading_history_object (uid, biz, biz_id),
        KEY idx_reading_history_newest (uid, read_at, id)
      ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE reading_history');
  }
}
