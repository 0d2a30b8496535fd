import { Controller, Get, HttpCode, Post } from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiBody,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import { articleReadTopic } from '../article';
import { EventPublisher } from '../messaging';
import { CurrentUser, OptionalAuth } from '../platform/auth';
import { ApiProblem, JsonBody, ObjectParam } from '../platform/http';
import { ObjectStateDto, ObjectStatesDto } from './dto/object-state.dto';
import { ObjectsPipe, ObjectsQueryDto } from './dto/objects.query';
import { InteractiveService } from './interactive.service';
import type { ObjectRef, ObjectState } from './states';

@ApiTags('interactive')
@OptionalAuth()
@Controller('api/interactive')
export class InteractiveController {
  constructor(
    private readonly interactive: InteractiveService,
    private readonly events: EventPublisher,
  ) {}

  @Get(':biz/:bizId')
  @ApiOperation({ summary: 'How often an object was read, liked and collected' })
  @ApiOkResponse({ type: ObjectStateDto })
  async get(
    @ObjectParam() object: ObjectRef,
    @CurrentUser() uid: number | null,
  ): Promise<ObjectState> {
    const [state] = await this.interactive.states([object], uid);
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
    return { items: await this.interactive.states(objects, uid) };
  }

  @Post(':biz/:bizId/reads')
  @HttpCode(202)
  @ApiOperation({ summary: 'Count a read of any kind of object' })
  @ApiAcceptedResponse({ description: 'The event is in the log' })
  async read(
    @ObjectParam() { biz, bizId }: ObjectRef,
    @CurrentUser() uid: number | null,
  ): Promise<void> {
    await this.events.publish(articleReadTopic, { Aid: bizId, Uid: uid ?? 0, Biz: biz });
  }
}
