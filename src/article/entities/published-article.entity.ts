import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { ArticleStatus } from '../article-status';

/** The readers' copy, with the same id as the author's; `ctime` is when it was first published. */
@Entity('published_articles')
@Index('idx_published_articles_recent', ['ctime', 'id', 'status'])
export class PublishedArticle {
  @PrimaryColumn({ type: 'bigint' })
  id!: number;

  @Column({ name: 'author_id', type: 'bigint' })
  authorId!: number;

  @Column({ type: 'varchar', length: 200 })
  title!: string;

  @Column({ type: 'mediumtext' })
  content!: string;

  @Column({ type: 'tinyint', default: ArticleStatus.Published })
  status!: number;

  @Column({ type: 'bigint', default: 0 })
  ctime!: number;

  @Column({ type: 'bigint', default: 0 })
  utime!: number;
}
