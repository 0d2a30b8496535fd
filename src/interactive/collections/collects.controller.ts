import { Controller, Delete, Put } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Auth, CurrentUser } from '../../platform/auth';
import type { ObjectRef } from '../../platform/business-object';
import { ApiProblem, JsonBody, ObjectParam } from '../../platform/http';
import { CollectionsService } from './collections.service';
import { CollectRequest } from './dto/collect.request';
import { ObjectStateDto } from '../object-state/dto/object-state.dto';
import type { ObjectState } from '../model/object-state';

@ApiTags('interactive')
@Auth()
@Controller('api/interactive/:biz/:bizId/collection')
export class CollectsController {
  constructor(private readonly collections: CollectionsService) {}

  @Put()
  @ApiOperation({ summary: 'Collect an object into a folder, or move it there' })
  @ApiBody({ type: CollectRequest, required: false })
  @ApiOkResponse({ type: ObjectStateDto })
  @ApiProblem(400, '`VALIDATION_FAILED`')
  @ApiProblem(404, '`ARTICLE_NOT_FOUND`, `COLLECTION_NOT_FOUND`')
  collect(
    @CurrentUser() uid: number,
    @ObjectParam() object: ObjectRef,
    @JsonBody() request: CollectRequest,
  ): Promise<ObjectState> {
    return this.collections.collect(uid, object, request.collectionId);
  }

  @Delete()
  @ApiOperation({ summary: 'Take an object out of its folder; again changes nothing' })
  @ApiOkResponse({ type: ObjectStateDto })
  @ApiProblem(404, '`ARTICLE_NOT_FOUND`')
  uncollect(@CurrentUser() uid: number, @ObjectParam() object: ObjectRef): Promise<ObjectState> {
    return this.collections.uncollect(uid, object);
  }
}
