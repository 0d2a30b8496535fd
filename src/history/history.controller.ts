import { Controller, Delete, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Auth, CurrentUser } from '../platform/auth';
import type { ObjectRef } from '../platform/business-object';
import { ApiProblem, CursorQuery, ObjectParam, type Page, QueryDto } from '../platform/http';
import { ForgottenDto, ReadingDto, ReadingPageDto } from './dto/reading.dto';
import { HistoryService } from './history.service';

@ApiTags('history')
@Auth()
@Controller('api/history')
export class HistoryController {
  constructor(private readonly history: HistoryService) {}

  @Get()
  @ApiOperation({ summary: 'What you have read, newest first' })
  @ApiOkResponse({ type: ReadingPageDto })
  @ApiProblem(400, '`VALIDATION_FAILED`, `INVALID_CURSOR`')
  list(@CurrentUser() uid: number, @QueryDto() query: CursorQuery): Promise<Page<ReadingDto>> {
    return this.history.list(uid, query);
  }

  @Delete()
  @ApiOperation({ summary: 'Delete your whole reading history' })
  @ApiOkResponse({ type: ForgottenDto })
  async forgetAll(@CurrentUser() uid: number): Promise<ForgottenDto> {
    await this.history.forgetAll(uid);
    return { deleted: true };
  }

  @Delete(':biz/:bizId')
  @ApiOperation({ summary: 'Delete one object from your reading history' })
  @ApiOkResponse({ type: ForgottenDto })
  async forget(
    @CurrentUser() uid: number,
    @ObjectParam() { biz, bizId }: ObjectRef,
  ): Promise<ForgottenDto> {
    await this.history.forget(uid, biz, bizId);
    return { deleted: true };
  }
}
