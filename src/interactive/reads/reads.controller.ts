import { Controller, HttpCode, Post } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { articleReadTopic } from '../../article';
import { EventPublisher } from '../../messaging';
import { CurrentUser, OptionalAuth } from '../../platform/auth';
import type { ObjectRef } from '../../platform/business-object';
import { ObjectParam } from '../../platform/http';

@ApiTags('interactive')
@OptionalAuth()
@Controller('api/interactive/:biz/:bizId/reads')
export class ReadsController {
  constructor(private readonly events: EventPublisher) {}

  @Post()
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
