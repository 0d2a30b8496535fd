import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The authors' copies: `status` 1 = draft, 2 = published, 3 = withdrawn. The index serves an
 * author's list, newest (highest id) first.
 */
export class CreateArticles1700000000301 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE articles (
        id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
        author_id BIGINT NOT NULL,
        title VARCHAR(200) NOT NULL,
        content MEDIUMTEXT NOT NULL,
        status TINYINT NOT NULL DEFAULT 1,
        ctime BIGINT NOT NULL DEFAULT 0,
        utime BIGINT NOT NULL DEFAULT 0,
        KEY idx_articles_author (author_id, id)
      ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE articles');
  }
}
