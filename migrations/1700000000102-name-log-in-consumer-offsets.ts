import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * An offset is only meaningful within its own log. Stop consumers of the previous version first:
 * they expect one row per partition. The way down keeps one row per partition, which may be that of
 * a log that no longer exists.
 */
export class NameLogInConsumerOffsets1700000000102 implements MigrationInterface {
  name = 'NameLogInConsumerOffsets1700000000102';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE consumer_offsets
        DROP PRIMARY KEY, ADD PRIMARY KEY (consumer_group, topic, partition_no, log_id)`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DELETE other FROM consumer_offsets other JOIN consumer_offsets kept
        USING (consumer_group, topic, partition_no) WHERE other.log_id < kept.log_id`);
    await queryRunner.query(`
      ALTER TABLE consumer_offsets
        DROP PRIMARY KEY, ADD PRIMARY KEY (consumer_group, topic, partition_no)`);
  }
}
