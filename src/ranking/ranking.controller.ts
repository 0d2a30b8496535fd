import { Readable } from 'node:stream';
import { Controller, Get, Header, Param, Req, Res } from '@nestjs/common';
import {
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiProduces,
  ApiTags,
  type SchemaObject,
} from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ApiProblem, IdParam, QueryDto } from '../platform/http';
import { HOT_BOARD, LIVE_BOARDS } from './board-definition';
import { BoardStream, type StreamedState } from './board-stream';
import { BoardQuery, BoardsQuery } from './dto/board.query';
import { BoardList } from './dto/board-summary';
import { BoardAnswer, RankedItem } from './dto/ranked-row.dto';
import { RankingService } from './ranking.service';

const STREAM_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-transform',
  // So that nginx does not collect events before it sends them.
  'x-accel-buffering': 'no',
};

/** One event: tools that know event streams take the schema for that of each event. */
const BOARD_EVENT: SchemaObject = {
  type: 'object',
  required: ['event', 'data'],
  properties: {
    event: { type: 'string', enum: ['board'] },
    data: { type: 'string', description: 'The JSON text of a board' },
  },
};

const BOARD_NAMES = [...LIVE_BOARDS, HOT_BOARD].map(({ name }) => name);

/** Swagger UI shows an answer only when it has ended. */
const ENDLESS =
  ' It never ends, so *Try it out* waits for ever: follow it with `curl -N` or an `EventSource`.';

@ApiTags('ranking')
@Controller('api/ranking')
export class RankingController {
  constructor(private readonly ranking: RankingService) {}

  @Get()
  @ApiOperation({ summary: 'The boards there are' })
  @ApiOkResponse({ type: BoardList })
  list(): BoardList {
    return { items: this.ranking.list() };
  }

  @Get('stream')
  @ApiOperation({
    summary: 'Several boards on one connection',
    description:
      'Server-sent events: `board` with a board’s data and its name in `board`, for each board at ' +
      'connect and after each of its changes.' +
      ENDLESS,
  })
  @ApiProduces('text/event-stream')
  @ApiOkResponse({ description: 'An endless stream', schema: BOARD_EVENT })
  @ApiProblem(400, '`VALIDATION_FAILED`')
  @ApiProblem(404, '`BOARD_NOT_FOUND`')
  async streamSeveral(
    @QueryDto() query: BoardsQuery,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const names = query.boards?.split(',') ?? this.ranking.list().map(({ name }) => name);
    const states = [...new Set(names)].map(async (name) => this.ranking.named(name, query.limit));
    this.send(await Promise.all(states), request, reply);
  }

  @Get(':board')
  @ApiParam({ name: 'board', schema: { type: 'string', enum: BOARD_NAMES } })
  @Header('content-type', 'application/json; charset=utf-8')
  @ApiOperation({ summary: 'The best rows of a board, in rank order' })
  @ApiProduces('application/json')
  @ApiOkResponse({ type: BoardAnswer })
  @ApiProblem(400, '`VALIDATION_FAILED`')
  @ApiProblem(404, '`BOARD_NOT_FOUND`')
  async top(@Param('board') board: string, @QueryDto() { limit }: BoardQuery): Promise<string> {
    return (await this.ranking.board(board, limit)).data();
  }

  @Get(':board/items/:id')
  @ApiParam({ name: 'board', schema: { type: 'string', enum: BOARD_NAMES } })
  @ApiOperation({ summary: 'A row with its rank' })
  @ApiOkResponse({ type: RankedItem })
  @ApiProblem(404, '`NOT_RANKED`, `BOARD_NOT_FOUND`')
  item(@Param('board') board: string, @IdParam() id: number): Promise<RankedItem> {
    return this.ranking.item(board, id);
  }

  @Get(':board/stream')
  @ApiParam({ name: 'board', schema: { type: 'string', enum: BOARD_NAMES } })
  @ApiOperation({
    summary: 'A board as it changes',
    description:
      'Server-sent events: `board` with the same data, at connect and after each change.' + ENDLESS,
  })
  @ApiProduces('text/event-stream')
  @ApiOkResponse({ description: 'An endless stream', schema: BOARD_EVENT })
  @ApiProblem(400, '`VALIDATION_FAILED`')
  @ApiProblem(404, '`BOARD_NOT_FOUND`')
  async stream(
    @Param('board') board: string,
    @QueryDto() { limit }: BoardQuery,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    this.send([await this.ranking.board(board, limit)], request, reply);
  }

  /** Fastify answers HEAD by the GET route: it gets only the headers, since the stream never ends. */
  private send(
    states: readonly StreamedState[],
    { method }: FastifyRequest,
    reply: FastifyReply,
  ): void {
    void reply
      .headers(STREAM_HEADERS)
      .send(method === 'HEAD' ? Readable.from([]) : new BoardStream(states));
  }
}
