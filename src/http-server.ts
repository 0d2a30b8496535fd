import { maxHeaderSize } from 'node:http';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { setupDocs } from './docs';
import type { Environment } from './platform/config';
import { DomainError } from './platform/errors';
import {
  acceptJsonOnly,
  answerClientError,
  answerExpectation,
  endStreamsOnClose,
  ProblemFilter,
  requestIdOf,
} from './platform/http';
import { observeRequests } from './platform/metrics';

/** A worker serves only what operators need, no API. */
const WORKER_PATHS = /^\/(healthz|readyz|metrics)(\?|$)/;

/** The Fastify server that Nest runs on. Its limits are explicit, since it faces the network. */
export function createHttpAdapter(): FastifyAdapter {
  const problems = new ProblemFilter();
  return new FastifyAdapter({
    bodyLimit: 1_048_576,
    requestTimeout: 30_000,
    // Requests that arrive on an open connection during the shutdown are answered, not refused.
    return503OnClosing: false,
    genReqId: requestIdOf,
    frameworkErrors: (error: FastifyError, request: FastifyRequest, reply: FastifyReply) =>
      problems.render(error, request, reply),
    clientErrorHandler: answerClientError,
    // Checked in configureHttp, which answers a missing Host header with problem+json.
    http: { requireHostHeader: false },
    // Longer than any URL, so that too long parameters reach the validation, which gives a reason.
    routerOptions: { maxParamLength: maxHeaderSize },
  });
}

/**
 * Configures everything that applies to every route. No interceptor, guard or pipe is global, and
 * the hooks are synchronous: each layer here slows down the hottest route too.
 */
export function configureHttp(app: NestFastifyApplication, environment: Environment): void {
  const fastify: FastifyInstance = app.getHttpAdapter().getInstance();
  fastify.decorateRequest('userId', null);
  fastify.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id);
    reply.header('x-content-type-options', 'nosniff');
    if (environment.ROLE === 'worker' && !WORKER_PATHS.test(request.url))
      done(new DomainError(404, 'ROUTE_NOT_FOUND', 'this instance is a worker and serves no API'));
    else if (request.headers.host === undefined && request.raw.httpVersion === '1.1')
      done(new DomainError(400, 'MALFORMED_REQUEST', 'the Host header is missing'));
    else done();
  });
  fastify.server.on('checkExpectation', answerExpectation);
  endStreamsOnClose(fastify);
  observeRequests(fastify);
  acceptJsonOnly(app);
  app.useGlobalFilters(new ProblemFilter());
  if (environment.ROLE !== 'worker') setupDocs(app);
}
