import { Module } from '@nestjs/common';
import { ArticleController } from './article.controller';
import { ArticleRepository } from './article.repository';
import { ArticleService } from './article.service';
import { PublishedArticleRepository } from './published-article.repository';
import { ReaderController } from './reader.controller';

/** Writing, publishing and reading articles. */
@Module({
  controllers: [ArticleController, ReaderController],
  providers: [ArticleRepository, PublishedArticleRepository, ArticleService],
  exports: [ArticleService],
})
export class ArticleModule {}
