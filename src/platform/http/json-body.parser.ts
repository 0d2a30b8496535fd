import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DomainError } from '../errors';
import { isJsonObject, unknownFields } from './json-object';
import { type FieldError, ValidationFailedError } from './validation-failed.error';

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Bodies are JSON in UTF-8, uncompressed. An empty body is accepted with any content type, because
 * many clients send one with every request. Runs before the guards of a route: a route without
 * `@JsonBody()` refuses all fields here, at no cost when there is no body.
 */
export function acceptJsonOnly(app: NestFastifyApplication): void {
  const fastify: FastifyInstance = app.getHttpAdapter().getInstance();
  const parse = fastify.getDefaultJsonParser('error', 'error');
  fastify.removeAllContentTypeParsers();
  app.useBodyParser('*', {}, (incoming, body, done) => {
    const request = incoming as FastifyRequest;
    if (body.length === 0 || request.is404) {
      done(null, undefined);
      return;
    }
    requireJson(request);
    const text = textOf(body);
    void parse(request, text, (error, value) => {
      const faults = error ? [] : faultsOf(request, text, value);
      done(error ?? (faults.length > 0 ? new ValidationFailedError(faults) : null), value);
    });
  });
}

function requireJson({ mediaType, headers }: FastifyRequest): void {
  if (mediaType !== 'application/json')
    throw new UnsupportedMediaTypeError('a body must be application/json');
  const charset = /;\s*charset\s*=\s*"?([^\s;"]*)/i.exec(headers['content-type'] ?? '')?.[1];
  if (charset !== undefined && !/^utf-?8$/i.test(charset))
    throw new UnsupportedMediaTypeError('a body must be in UTF-8');
  if (!/^(identity)?$/i.test(headers['content-encoding'] ?? ''))
    throw new UnsupportedMediaTypeError('a body must not be compressed');
}

function textOf(body: Buffer): string {
  try {
    return utf8.decode(body);
  } catch {
    throw new DomainError(400, 'MALFORMED_REQUEST', 'the body is not valid UTF-8');
  }
}

function faultsOf(request: FastifyRequest, text: string, value: unknown): FieldError[] {
  if (request.routeOptions.config.takesBody !== true)
    return isJsonObject(value)
      ? unknownFields(value)
      : [{ field: 'body', message: 'must be a JSON object' }];
  // Only an escape can yield half of a surrogate pair: the text itself is valid UTF-8.
  return /\\u[dD][89a-fA-F]/.test(text) ? illFormed(value) : [];
}

/** Finds texts that UTF-8 cannot encode: U+FFFD would be stored in their place. */
function illFormed(body: unknown): FieldError[] {
  const errors: FieldError[] = [];
  const pending: [path: string, value: unknown][] = [['', body]];
  // The list grows during the loop; a recursion could overflow the stack.
  for (const [path, value] of pending) {
    if (typeof value === 'string' && !value.isWellFormed())
      errors.push({ field: path || 'body', message: 'must not contain half of a surrogate pair' });
    if (typeof value === 'object' && value !== null)
      for (const [name, child] of Object.entries(value))
        pending.push([path === '' ? name : `${path}.${name}`, child]);
  }
  return errors;
}

class UnsupportedMediaTypeError extends DomainError {
  constructor(detail: string) {
    super(415, 'UNSUPPORTED_MEDIA_TYPE', detail);
  }
}
