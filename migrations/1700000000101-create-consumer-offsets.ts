import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateConsumerOffsets1700000000101 implements MigrationInterface {
  name = 'CreateConsumerOffsets1700000000101';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE consumer_offsets (
        consumer_group VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
        topic VARCHAR(128) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
        partition_no INT NOT NULL,
        next_offset BIGINT NOT NULL,
        log_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
        PRIMARY KEY (consumer_group, topic, partition_no)
      ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE consumer_offsets');
  }
}
