import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateInteractives1700000000401 implements MigrationInterface {
  name = 'CreateInteractives1700000000401';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE interactives (
        id BIGINT NOT NULL AUTO_INCREMENT,
        biz VARCHAR(32) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
        biz_id BIGINT NOT NULL,
        read_cnt BIGINT NOT NULL DEFAULT 0,
        like_cnt BIGINT NOT NULL DEFAULT 0,
        collect_cnt BIGINT NOT NULL DEFAULT 0,
        version BIGINT NOT NULL DEFAULT 0,
        ctime BIGINT NOT NULL DEFAULT 0,
        utime BIGINT NOT NULL DEFAULT 0,
        PRIMARY KEY (id),
        UNIQUE KEY uq_interactives_object (biz_id, biz),
        KEY idx_interactives_likes (like_cnt, id),
        KEY idx_interactives_reads (read_cnt, id),
        KEY idx_interactives_collects (collect_cnt, id)
      ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE interactives');
  }
}
