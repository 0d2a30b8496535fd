import {
  type ArgumentsHost,
  Catch,
  type ExceptionFilter,
  HttpException,
  Logger,
} from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { DomainError, dependencyFault, UnavailableError } from '../errors';
import { type Fault, problemOf } from './problem';
import { ValidationFailedError } from './validation-failed.error';

/** When a client may retry while a dependency is unavailable. */
const RETRY_AFTER_SECONDS = 2;

const FRAMEWORK_CODES: Record<number, string> = {
  400: 'MALFORMED_REQUEST',
  401: 'UNAUTHORIZED',
  403: 'FORBIDDEN',
  404: 'ROUTE_NOT_FOUND',
  413: 'BODY_TOO_LARGE',
  415: 'UNSUPPORTED_MEDIA_TYPE',
};

/** Turns every error that a route throws into problem+json; no other code does. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger('Http');

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    this.render(error, http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>());
  }

  /** Also used for errors that Fastify finds before routing, e.g. a malformed URL. */
  render(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
    const fault = this.faultOf(error, request);
    // The response has begun (a stream that failed), so it cannot become an error response.
    if (reply.sent || reply.raw.headersSent) {
      reply.raw.destroy();
      return;
    }
    if (fault.status === 503 || fault.status === 429)
      reply.header('retry-after', retryAfterSeconds(error));
    if (fault.status === 401) reply.header('www-authenticate', 'Bearer');
    void reply
      .status(fault.status)
      // Errors that Fastify finds before routing have passed no hook.
      .headers({ 'x-request-id': request.id, 'x-content-type-options': 'nosniff' })
      .type('application/problem+json')
      .send(JSON.stringify(problemOf(fault, request.id)));
  }

  private faultOf(error: unknown, request: FastifyRequest): Fault {
    if (error instanceof ValidationFailedError)
      return { ...faultFrom(error), errors: [...error.errors] };
    if (error instanceof DomainError && !(error instanceof UnavailableError))
      return faultFrom(error);
    if (error instanceof HttpException && error.getStatus() < 500) {
      const status = error.getStatus();
      return { status, code: FRAMEWORK_CODES[status] ?? 'REJECTED', detail: error.message };
    }
    if (isRefusedByFastify(error)) {
      const { statusCode: status, message } = error;
      return { status, code: FRAMEWORK_CODES[status] ?? 'REJECTED', detail: message };
    }
    // The client left in the middle of its body: nothing is wrong here, and no log line is due.
    if (error === request.raw.errored)
      return { status: 400, code: 'MALFORMED_REQUEST', detail: 'the body is incomplete' };
    const called = `${request.id} ${request.method} ${request.url}`;
    const fault = dependencyFault(error);
    if (fault !== null) {
      // The reason is for the log only: it may name addresses and servers.
      // A refusal does not pass by itself: a right or a table is missing, or a statement is wrong.
      this.logger[fault.isAway ? 'warn' : 'error'](`${called}: ${String(error)}`);
      return { status: 503, code: 'UNAVAILABLE', detail: `${fault.dependency} is unavailable` };
    }
    this.logger.error(called, error instanceof Error ? error.stack : String(error));
    return { status: 500, code: 'INTERNAL', detail: 'The request failed inside the server' };
  }
}

function faultFrom({ status, code, message }: DomainError): Fault {
  return { status, code, detail: message };
}

function isRefusedByFastify(error: unknown): error is Error & { statusCode: number } {
  const { code, statusCode } = error as { code?: unknown; statusCode?: unknown };
  const isFastify = typeof code === 'string' && code.startsWith('FST_');
  return error instanceof Error && isFastify && typeof statusCode === 'number' && statusCode < 500;
}

function retryAfterSeconds(error: unknown): number {
  const { retryAfterSeconds: own } = error as { retryAfterSeconds?: number };
  return own ?? RETRY_AFTER_SECONDS;
}
