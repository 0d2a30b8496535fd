import { maxHeaderSize } from 'node:http';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { setupDocs } from './docs';
import type { Environment } from './platform/config';
import { DomainError } from './platform/errors';
import {
  acceptJsonOnly,
  AllowedMethods,
  answerExpectation,
  Connections,
  hasTooManyParameters,
  hostFault,
  parseQuery,
  ProblemFilter,
  requestIdOf,
  TooManyParametersError,
} from './platform/http';
import { observeRequests } from './platform/metrics';

/** A worker serves only what operators need, no API. */
const WORKER_PATHS = /^\/(healthz|readyz|metrics)(\?|$)/;

/** Node waits this long for the headers of a request, and for all of it. */
const HEADERS_TIMEOUT_MS = 15_000;
const REQUEST_TIMEOUT_MS = 25_000;
/** How often Node looks for such requests. */
const TIMEOUT_CHECK_INTERVAL_MS = 1_000;
/** Longer than the 60 s after which most proxies close a connection that nobody uses. */
const KEEP_ALIVE_TIMEOUT_MS = 72_000;
const MAX_CONNECTIONS = 10_000;

/** The Fastify server that Nest runs on. Its limits are explicit, since it faces the network. */
export function createHttpAdapter(): FastifyAdapter {
  const problems = new ProblemFilter();
  const connections = new Connections();
  const adapter = new FastifyAdapter({
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    // Requests that arrive on an open connection during the shutdown are answered, not refused.
    return503OnClosing: false,
    genReqId: requestIdOf,
    frameworkErrors: (error: FastifyError, request: FastifyRequest, reply: FastifyReply) =>
      problems.render(error, request, reply),
    clientErrorHandler: (error, socket) => connections.answerClientError(error, socket),
    http: {
      headersTimeout: HEADERS_TIMEOUT_MS,
      connectionsCheckingInterval: TIMEOUT_CHECK_INTERVAL_MS,
      // Checked in configureHttp, which answers a missing Host header with problem+json.
      requireHostHeader: false,
    },
    routerOptions: {
      // Longer than any URL, so that too long parameters reach the validation, which gives a reason.
      maxParamLength: maxHeaderSize,
      querystringParser: parseQuery,
    },
  });
  const fastify: FastifyInstance = adapter.getInstance();
  fastify.server.maxConnections = MAX_CONNECTIONS;
  connections.watch(fastify);
  return adapter;
}

/**
 * Configures everything that applies to every route. No interceptor, guard or pipe is global, and
 * the hooks are synchronous: each layer here slows down the hottest route too.
 */
export function configureHttp(app: NestFastifyApplication, environment: Environment): void {
  const fastify: FastifyInstance = app.getHttpAdapter().getInstance();
  fastify.decorateRequest('userId', null);
  const refusalOf = refusalsFor(fastify, environment);
  fastify.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id);
    reply.header('x-content-type-options', 'nosniff');
    done(refusalOf(request, reply) ?? undefined);
  });
  fastify.server.on('checkExpectation', answerExpectation);
  observeRequests(fastify);
  acceptJsonOnly(fastify);
  app.useGlobalFilters(new ProblemFilter());
  if (environment.ROLE !== 'worker') setupDocs(app);
}

/** What is refused before anything else of a request is read. */
function refusalsFor(fastify: FastifyInstance, { ROLE }: Environment) {
  const allowedMethods = new AllowedMethods(fastify);
  return (request: FastifyRequest, reply: FastifyReply): DomainError | null => {
    if (ROLE === 'worker' && !WORKER_PATHS.test(request.url))
      return new DomainError(404, 'ROUTE_NOT_FOUND', 'this instance is a worker and serves no API');
    const fault = hostFault(request.raw);
    if (fault !== null) return new DomainError(400, 'MALFORMED_REQUEST', fault);
    if (hasTooManyParameters(request.query)) return new TooManyParametersError();
    const allowed = request.is404 ? allowedMethods.of(request.url) : '';
    if (allowed === '') return null;
    reply.header('allow', allowed);
    return new DomainError(405, 'METHOD_NOT_ALLOWED', `this path takes only ${allowed}`);
  };
}
