import { Controller, Get, HttpCode, Post, Put } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Auth, CurrentUser } from '../platform/auth';
import { ApiProblem, CursorQuery, IdParam, JsonBody, QueryDto } from '../platform/http';
import { statusName } from './article-status';
import type { ArticleSummary } from './article.repository';
import { ArticleService } from './article.service';
import {
  ArticleDto,
  ArticleIdDto,
  ArticlePageDto,
  ArticleStatusDto,
  type ArticleSummaryDto,
} from './dto/article.dto';
import { ArticleText } from './dto/article-text';

/** Another program may write times beyond 2^53, which the driver returns as text. */
const summaryOf = ({ id, title, status, ctime, utime }: ArticleSummary): ArticleSummaryDto => ({
  id,
  title,
  status: statusName(status),
  createdAt: Number(ctime),
  updatedAt: Number(utime),
});

/** An author's own articles; those of other authors are not found. */
@ApiTags('articles')
@Auth()
@Controller('api/articles')
export class ArticleController {
  constructor(private readonly articles: ArticleService) {}

  @Post()
  @ApiOperation({ summary: 'Write a draft' })
  @ApiCreatedResponse({ type: ArticleIdDto })
  @ApiProblem(400, '`VALIDATION_FAILED`')
  async create(
    @CurrentUser() author: number,
    @JsonBody() text: ArticleText,
  ): Promise<ArticleIdDto> {
    return { id: await this.articles.create(author, text) };
  }

  @Put(':id')
  @ApiOperation({ summary: 'Edit; readers see it once it is published again' })
  @ApiOkResponse({ type: ArticleIdDto })
  @ApiProblem(400, '`VALIDATION_FAILED`')
  @ApiProblem(404, '`ARTICLE_NOT_FOUND`')
  async edit(
    @IdParam() id: number,
    @CurrentUser() author: number,
    @JsonBody() text: ArticleText,
  ): Promise<ArticleIdDto> {
    await this.articles.edit(id, author, text);
    return { id };
  }

  @Post(':id/publish')
  @HttpCode(200)
  @ApiOperation({ summary: 'Publish: readers see the article as it is now' })
  @ApiOkResponse({ type: ArticleStatusDto })
  @ApiProblem(404, '`ARTICLE_NOT_FOUND`')
  async publish(@IdParam() id: number, @CurrentUser() author: number): Promise<ArticleStatusDto> {
    await this.articles.publish(id, author);
    return { id, status: 'published' };
  }

  @Post(':id/withdraw')
  @HttpCode(200)
  @ApiOperation({ summary: 'Withdraw: readers no longer see the article' })
  @ApiOkResponse({ type: ArticleStatusDto })
  @ApiProblem(404, '`ARTICLE_NOT_FOUND`')
  @ApiProblem(409, '`ARTICLE_NOT_PUBLISHED`: a draft that readers have never seen')
  async withdraw(@IdParam() id: number, @CurrentUser() author: number): Promise<ArticleStatusDto> {
    await this.articles.withdraw(id, author);
    return { id, status: 'withdrawn' };
  }

  @Get()
  @ApiOperation({ summary: 'Your articles, newest first' })
  @ApiOkResponse({ type: ArticlePageDto })
  @ApiProblem(400, '`VALIDATION_FAILED`, `INVALID_CURSOR`')
  async list(
    @CurrentUser() author: number,
    @QueryDto() query: CursorQuery,
  ): Promise<ArticlePageDto> {
    const { items, nextCursor } = await this.articles.listOwn(author, query);
    return { items: items.map(summaryOf), nextCursor };
  }

  @Get(':id')
  @ApiOperation({ summary: 'Your copy of the article' })
  @ApiOkResponse({ type: ArticleDto })
  @ApiProblem(404, '`ARTICLE_NOT_FOUND`')
  async own(@IdParam() id: number, @CurrentUser() author: number): Promise<ArticleDto> {
    const article = await this.articles.own(id, author);
    return { ...summaryOf(article), content: article.content };
  }
}
