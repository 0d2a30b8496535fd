import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A row for each partition of the captured changes: written every second, it shows that capture runs. */
export class CreateCaptureHeartbeats1700000000203 implements MigrationInterface {
  name = 'CreateCaptureHeartbeats1700000000203';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE capture_heartbeats (
        source VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
        slot BIGINT NOT NULL,
        beat_at BIGINT NOT NULL,
        PRIMARY KEY (source, slot)
      ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE capture_heartbeats');
  }
}
