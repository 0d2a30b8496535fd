import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ArticleController } from './article.controller';
import { ArticleRepository } from './article.repository';
import { ArticleService } from './article.service';
import { Article } from './entities/article.entity';
import { PublishedArticle } from './entities/published-article.entity';
import { PublishedArticleRepository } from './published-article.repository';
import { ReaderController } from './reader.controller';

/** Writing, publishing and reading articles. */
@Module({
  imports: [TypeOrmModule.forFeature([Article, PublishedArticle])],
  controllers: [ArticleController, ReaderController],
  providers: [ArticleRepository, PublishedArticleRepository, ArticleService],
  exports: [ArticleService],
})
export class ArticleModule {}
