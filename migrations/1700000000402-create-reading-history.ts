import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateReadingHistory1700000000402 implements MigrationInterface {
  name = 'CreateReadingHistory1700000000402';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE reading_history (
        uid BIGINT NOT NULL,
        biz VARCHAR(32) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
        biz_id BIGINT NOT NULL,
        read_at BIGINT NOT NULL,
        PRIMARY KEY (uid, biz, biz_id),
        KEY idx_reading_history_newest (uid, read_at, biz, biz_id)
      ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE reading_history');
  }
}
