import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * A user's folders. `name` is NULL from the start of a folder's deletion until it is empty: the
 * folder is no longer visible, its name is free again, and any instance that finds it may finish
 * the deletion. `default_of` is the user whose default folder it is, so that a user has at most one.
 */
export class CreateCollections1700000000502 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE collections (
        id BIGINT NOT NULL AUTO_INCREMENT,
        uid BIGINT NOT NULL,
        name VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
        default_of BIGINT NULL,
        ctime BIGINT NOT NULL DEFAULT 0,
        utime BIGINT NOT NULL DEFAULT 0,
        PRIMARY KEY (id),
        UNIQUE KEY uq_collections_name (name, uid),
        UNIQUE KEY uq_collections_default (default_of),
        KEY idx_collections_owner (uid, id)
      ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE collections');
  }
}
