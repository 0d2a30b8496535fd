import { Controller, Get, Res } from '@nestjs/common';
import {
  ApiOkResponse,
  ApiOperation,
  ApiServiceUnavailableResponse,
  ApiTags,
} from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { HealthRegistry } from './health.registry';

@ApiTags('operations')
@Controller()
export class HealthController {
  constructor(private readonly health: HealthRegistry) {}

  @Get('healthz')
  @ApiOperation({ summary: 'Liveness: the process answers' })
  @ApiOkResponse({ schema: { example: { status: 'ok' } } })
  live(): { status: 'ok' } {
    return { status: 'ok' };
  }

  @Get('readyz')
  @ApiOperation({ summary: 'Readiness, with each dependency named' })
  @ApiOkResponse({ schema: { example: { status: 'ready', checks: { mysql: { status: 'up' } } } } })
  @ApiServiceUnavailableResponse({
    description: 'A dependency is down, or the process is stopping',
  })
  async ready(@Res() reply: FastifyReply): Promise<void> {
    const readiness = await this.health.readiness();
    if (readiness.status !== 'ready') reply.header('retry-after', 2);
    await reply.status(readiness.status === 'ready' ? 200 : 503).send(readiness);
  }
}
