import { Module } from '@nestjs/common';
import { ArticleController } from './article.controller';
import { ArticleRepository } from './article.repository';
import { ArticleService } from './article.service';
import { PublishedArticleRepository } from './published-article.repository';

/** Writing and publishing articles, and the published copies that readers see. */
@Module({
  controllers: [ArticleController],
  providers: [ArticleRepository, PublishedArticleRepository, ArticleService],
  exports: [ArticleService],
})
export class ArticleModule {}
