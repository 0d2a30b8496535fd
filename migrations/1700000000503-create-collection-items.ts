import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * One row per user and object, whatever the folder, kept when the collect is removed (`status`
 * 1 = collected, 2 = not collected), with a `version` that every change increases. Indexed like
 * `likes`; the folder index covers both a folder's list and the count of its items.
 */
export class CreateCollectionItems1700000000503 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE collection_items (
        uid BIGINT NOT NULL,
        biz VARCHAR(32) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
        biz_id BIGINT NOT NULL,
        collection_id BIGINT NOT NULL,
        status TINYINT NOT NULL,
        version BIGINT NOT NULL DEFAULT 1,
        ctime BIGINT NOT NULL DEFAULT 0,
        utime BIGINT NOT NULL DEFAULT 0,
        PRIMARY KEY (uid, biz, biz_id),
        KEY idx_collection_items_object (biz_id, biz, status),
        KEY idx_collection_items_folder (collection_id, status, utime, biz, biz_id)
      ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE collection_items');
  }
}
