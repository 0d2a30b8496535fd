import { Controller, Get, HttpCode, Post } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { CurrentUser, OptionalAuth } from '../../platform/auth';
import type { ObjectRef } from '../../platform/business-object';
import { ApiProblem, JsonBody, ObjectParam } from '../../platform/http';
import type { ObjectState } from '../model/object-state';
import { ObjectStateDto, ObjectStatesDto } from './dto/object-state.dto';
import { ObjectsPipe, ObjectsQueryDto } from './dto/objects.query';
import { ObjectStateService } from './object-state.service';

@ApiTags('interactive')
@OptionalAuth()
@Controller('api/interactive')
export class ObjectStateController {
  constructor(private readonly objects: ObjectStateService) {}

  @Get(':biz/:bizId')
  @ApiOperation({ summary: 'How often an object was read, liked and collected' })
  @ApiOkResponse({ type: ObjectStateDto })
  async get(
    @ObjectParam() object: ObjectRef,
    @CurrentUser() uid: number | null,
  ): Promise<ObjectState> {
    const [state] = await this.objects.states([object], uid);
    return state as ObjectState;
  }

  @Post('query')
  @HttpCode(200)
  @ApiOperation({ summary: 'The same for up to 100 objects, in their order' })
  @ApiBody({ type: ObjectsQueryDto })
  @ApiOkResponse({ type: ObjectStatesDto })
  @ApiProblem(400, '`VALIDATION_FAILED`')
  async query(
    @JsonBody(ObjectsPipe) objects: readonly ObjectRef[],
    @CurrentUser() uid: number | null,
  ): Promise<{ items: ObjectState[] }> {
    return { items: await this.objects.states(objects, uid) };
  }
}
