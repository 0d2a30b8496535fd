import { Controller, Get, type OnModuleInit, Req } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { articleReadTopic, ArticleService } from '../article';
import { ObjectStateService } from '../interactive';
import { EventPublisher } from '../messaging';
import { CurrentUser, OptionalAuth } from '../platform/auth';
import { ApiProblem, IdParam } from '../platform/http';
import { PublishedArticleDto } from './dto/published-article.dto';

/** Published articles, as readers see them. */
@ApiTags('articles')
@Controller('api/articles')
export class ReaderController implements OnModuleInit {
  constructor(
    private readonly articles: ArticleService,
    private readonly events: EventPublisher,
    private readonly objects: ObjectStateService,
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
    const [[state]] = await Promise.all([
      this.objects.states([{ biz: 'article', bizId: id }], reader),
      // Not for HEAD, which Fastify serves with this route: it must change nothing.
      method === 'HEAD'
        ? undefined
        : this.events.publish(articleReadTopic, { Aid: id, Uid: reader ?? 0 }),
    ]);
    if (!state) throw new Error(`no state of article ${id}`);
    const { readCnt, likeCnt, collectCnt, liked, collected } = state;
    return { ...article, interactive: { readCnt, likeCnt, collectCnt, liked, collected } };
  }
}
