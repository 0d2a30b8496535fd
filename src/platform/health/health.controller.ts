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
    status: { type: 'string', enum: ['ready', 'not-ready', 'stopping'] },
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
  @ApiOkResponse({ schema: READINESS })
  @ApiServiceUnavailableResponse({
    description: 'A dependency is down, or the process is stopping',
    schema: READINESS,
  })
  async ready(@Res() reply: FastifyReply): Promise<void> {
    const readiness = await this.health.readiness();
    if (readiness.status !== 'ready') reply.header('retry-after', 2);
    await reply.status(readiness.status === 'ready' ? 200 : 503).send(readiness);
  }
}
