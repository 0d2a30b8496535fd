import { Column, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';
import { ArticleStatus } from '../article-status';

/** The author's copy. Times in milliseconds since the epoch. */
@Entity('articles')
@Index('idx_articles_author', ['authorId', 'id'])
export class Article {
  @PrimaryGeneratedColumn({ type: 'bigint' })
  id!: number;

  @Column({ name: 'author_id', type: 'bigint' })
  authorId!: number;

  @Column({ type: 'varchar', length: 200 })
  title!: string;

  @Column({ type: 'mediumtext' })
  content!: string;

  @Column({ type: 'tinyint', default: ArticleStatus.Draft })
  status!: number;

  @Column({ type: 'bigint', default: 0 })
  ctime!: number;

  @Column({ type: 'bigint', default: 0 })
  utime!: number;
}
