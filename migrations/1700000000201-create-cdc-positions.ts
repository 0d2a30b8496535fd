import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateCdcPositions1700000000201 implements MigrationInterface {
  name = 'CreateCdcPositions1700000000201';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE cdc_positions (
        name VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
        file VARCHAR(255) NOT NULL,
        position BIGINT NOT NULL,
        PRIMARY KEY (name)
      ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE cdc_positions');
  }
}
