import { Controller, Delete, Get, Put } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Auth, CurrentUser } from '../../platform/auth';
import type { ObjectRef } from '../../platform/business-object';
import { ApiProblem, ObjectParam, type Page, QueryDto } from '../../platform/http';
import { LikesQuery } from './dto/likes.query';
import { LikedObjectPageDto } from './dto/liked-object.dto';
import { ObjectStateDto } from '../object-state/dto/object-state.dto';
import type { LikedRow } from './likes.repository';
import { LikesService } from './likes.service';
import type { ObjectState } from '../model/object-state';

@ApiTags('interactive')
@Auth()
@Controller('api/interactive')
export class LikesController {
  constructor(private readonly likes: LikesService) {}

  @Get('likes')
  @ApiOperation({ summary: 'Your liked objects, newest first' })
  @ApiOkResponse({ type: LikedObjectPageDto })
  @ApiProblem(400, '`VALIDATION_FAILED`, `INVALID_CURSOR`')
  list(@CurrentUser() uid: number, @QueryDto() query: LikesQuery): Promise<Page<LikedRow>> {
    return this.likes.list(uid, query);
  }

  @Put(':biz/:bizId/like')
  @ApiOperation({ summary: 'Like an object; again changes nothing' })
  @ApiOkResponse({ type: ObjectStateDto })
  @ApiProblem(404, '`ARTICLE_NOT_FOUND`')
  like(@CurrentUser() uid: number, @ObjectParam() object: ObjectRef): Promise<ObjectState> {
    return this.likes.set(uid, object, true);
  }

  @Delete(':biz/:bizId/like')
  @ApiOperation({ summary: 'Take a like back; again changes nothing' })
  @ApiOkResponse({ type: ObjectStateDto })
  @ApiProblem(404, '`ARTICLE_NOT_FOUND`')
  unlike(@CurrentUser() uid: number, @ObjectParam() object: ObjectRef): Promise<ObjectState> {
    return this.likes.set(uid, object, false);
  }
}
