import { Controller, Get, Inject, type OnModuleInit, Req } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { EventPublisher } from '../messaging';
import { CurrentUser, OptionalAuth } from '../platform/auth';
import { ApiProblem, IdParam } from '../platform/http';
import { articleReadTopic } from './article-read.topic';
import { ArticleService } from './article.service';
import { PublishedArticleDto } from './dto/published-article.dto';
import { INTERACTIVE_COUNTS, type InteractiveCounts } from './interactive-counts.port';

/** What readers see of articles. */
@ApiTags('articles')
@Controller('api/articles')
export class ReaderController implements OnModuleInit {
  constructor(
    private readonly articles: ArticleService,
    private readonly events: EventPublisher,
    @Inject(INTERACTIVE_COUNTS) private readonly counts: InteractiveCounts,
  ) {}

  onModuleInit(): void {
    this.events.prepare(articleReadTopic);
  }

  @Get(':id/published')
  @OptionalAuth()
  @ApiOperation({ summary: 'Read a published article; counts as one read' })
  @ApiOkResponse({ type: PublishedArticleDto })
  @ApiProblem(404, '`ARTICLE_NOT_FOUND`')
  async read(
    @IdParam() id: number,
    @CurrentUser() reader: number | null,
    @Req() { method }: FastifyRequest,
  ): Promise<PublishedArticleDto> {
    const article = await this.articles.read(id);
    const [[counts]] = await Promise.all([
      this.counts.states([{ biz: 'article', bizId: id }], reader),
      // Not for HEAD, which Fastify answers by this route: it changes nothing.
      method === 'HEAD'
        ? undefined
        : this.events.publish(articleReadTopic, { Aid: id, Uid: reader ?? 0 }),
    ]);
    if (!counts) throw new Error(`no counts for article ${id}`);
    const { readCnt, likeCnt, collectCnt, liked, collected } = counts;
    return { ...article, interactive: { readCnt, likeCnt, collectCnt, liked, collected } };
  }
}
