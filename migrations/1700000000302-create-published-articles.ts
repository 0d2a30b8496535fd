import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The readers' copies, with the same ids as the authors' copies: `status` 2 = published,
 * 3 = withdrawn, `ctime` = first published. The index finds the recent ones.
 */
export class CreatePublishedArticles1700000000302 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE published_articles (
        id BIGINT NOT NULL PRIMARY KEY,
        author_id BIGINT NOT NULL,
        title VARCHAR(200) NOT NULL,
        content MEDIUMTEXT NOT NULL,
        status TINYINT NOT NULL DEFAULT 2,
        ctime BIGINT NOT NULL DEFAULT 0,
        utime BIGINT NOT NULL DEFAULT 0,
        KEY idx_published_articles_recent (ctime, id, status)
      ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE published_articles');
  }
}
