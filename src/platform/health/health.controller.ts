import { Controller, Get, Res } from '@nestjs/common';
import {
  ApiOkResponse,
  ApiOperation,
  ApiServiceUnavailableResponse,
  ApiTags,
  type SchemaObject,
} from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { HealthRegistry } from './health.registry';

const LIVENESS: SchemaObject = {
  type: 'object',
  required: ['status'],
  properties: { status: { type: 'string', enum: ['ok'] } },
};
const READINESS: SchemaObject = {
  type: 'object',
  required: ['status', 'checks'],
  properties: {
    status: { type: 'string', enum: ['ready', 'degraded', 'not-ready', 'stopping'] },
    checks: {
      type: 'object',
      description: 'By the name of the dependency',
      additionalProperties: {
        type: 'object',
        required: ['status'],
        properties: {
          status: { type: 'string', enum: ['up', 'down'] },
          error: { type: 'string', description: 'The reason when it is down' },
        },
      },
    },
  },
};

@ApiTags('operations')
@Controller()
export class HealthController {
  constructor(private readonly health: HealthRegistry) {}

  @Get('healthz')
  @ApiOperation({ summary: 'Liveness: the process answers' })
  @ApiOkResponse({ schema: LIVENESS })
  live(): { status: 'ok' } {
    return { status: 'ok' };
  }

  @Get('readyz')
  @ApiOperation({ summary: 'Readiness, with the status of each dependency' })
  @ApiOkResponse({
    description: 'Ready; `degraded` when something is down without which it can serve',
    schema: READINESS,
  })
  @ApiServiceUnavailableResponse({
    description: 'A dependency that it needs is down, or the process is stopping',
    schema: READINESS,
  })
  async ready(@Res() reply: FastifyReply): Promise<void> {
    const readiness = await this.health.readiness();
    const isReady = readiness.status === 'ready' || readiness.status === 'degraded';
    if (!isReady) reply.header('retry-after', 2);
    await reply.status(isReady ? 200 : 503).send(readiness);
  }
}
