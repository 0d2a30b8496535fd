import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateHistoryDeletions1700000000403 implements MigrationInterface {
  name = 'CreateHistoryDeletions1700000000403';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE history_deletions (
        uid BIGINT NOT NULL,
        deleted_until BIGINT NOT NULL,
        PRIMARY KEY (uid)
      ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE history_deletions');
  }
}
