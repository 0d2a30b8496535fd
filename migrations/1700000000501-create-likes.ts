import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * One row per user and object, kept when the like is removed (`status` 1 = liked, 2 = not liked),
 * with a `version` that every transition increases. The primary key clusters a user's rows together
 * and is the only unique index, so a write locks one record. Each other index covers one read: the
 * totals of an object, a user's list, and a user's list of one kind of object.
 */
export class CreateLikes1700000000501 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE likes (
        uid BIGINT NOT NULL,
        biz VARCHAR(32) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
        biz_id BIGINT NOT NULL,
        status TINYINT NOT NULL,
        version BIGINT NOT NULL DEFAULT 1,
        ctime BIGINT NOT NULL DEFAULT 0,
        utime BIGINT NOT NULL DEFAULT 0,
        PRIMARY KEY (uid, biz, biz_id),
        KEY idx_likes_object (biz_id, biz, status),
        KEY idx_likes_newest (uid, status, utime, biz, biz_id),
        KEY idx_likes_newest_of_biz (uid, biz, status, utime, biz_id)
      ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE likes');
  }
}
