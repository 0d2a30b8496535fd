import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A position is only meaningful on its own server. */
export class AddServerToCdcPositions1700000000202 implements MigrationInterface {
  name = 'AddServerToCdcPositions1700000000202';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE cdc_positions ADD COLUMN server_id BIGINT NULL');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE cdc_positions DROP COLUMN server_id');
  }
}
