import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { DomainError } from '../errors';
import { excessOf, MAX_BODY_BYTES } from './body-limits';
import { isJsonObject, unknownFields } from './json-object';
import { type FieldError, ValidationFailedError } from './validation-failed.error';

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Bodies are JSON in UTF-8, uncompressed. An empty body is accepted with any content type, because
 * many clients send one with every request. Runs before the guards of a route: a route without
 * `@JsonBody()` refuses all fields here, at no cost when there is no body.
 */
export function acceptJsonOnly(fastify: FastifyInstance): void {
  const parse = fastify.getDefaultJsonParser('error', 'error');
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('*', (request, _, done) => {
    collect(request.raw, (error, body) => {
      if (error || body.length === 0 || request.is404) {
        done(error, undefined);
        return;
      }
      try {
        requireJson(request);
        const text = textOf(body);
        const excess = excessOf(text);
        if (excess !== null) throw faultOfBody(excess);
        void parse(request, text, (refusal, value) => {
          const faults = refusal ? [] : faultsOf(request, text, value);
          done(refusal ?? (faults.length > 0 ? new ValidationFailedError(faults) : null), value);
        });
      } catch (refusal) {
        done(refusal as Error, undefined);
      }
    });
  });
}

const NOTHING = Buffer.alloc(0);

/**
 * Reads a body into one buffer. Fastify's own way keeps each chunk: of a body that comes byte by byte,
 * that is a hundred times its size.
 */
function collect(raw: IncomingMessage, done: (error: Error | null, body: Buffer) => void): void {
  let buffer: Buffer = NOTHING;
  let length = 0;
  const onData = (chunk: Buffer): void => {
    const end = length + chunk.length;
    if (end > MAX_BODY_BYTES) return finish(new BodyTooLargeError());
    // Most bodies are a single chunk.
    if (length === 0) buffer = chunk;
    else {
      if (end > buffer.length) {
        const larger = Buffer.allocUnsafe(Math.min(MAX_BODY_BYTES, Math.max(2 * end, 1_024)));
        buffer.copy(larger, 0, 0, length);
        buffer = larger;
      }
      chunk.copy(buffer, length);
    }
    length = end;
  };
  const finish = (error: Error | null): void => {
    raw.off('data', onData).off('end', onEnd).off('error', finish);
    done(error, buffer.subarray(0, length));
  };
  const onEnd = (): void => finish(null);
  if (Number(raw.headers['content-length']) > MAX_BODY_BYTES) finish(new BodyTooLargeError());
  else raw.on('data', onData).on('end', onEnd).on('error', finish);
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
function illFormed(value: unknown, path = ''): FieldError[] {
  if (typeof value === 'string' && !value.isWellFormed())
    return [{ field: path || 'body', message: 'must not contain half of a surrogate pair' }];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, child]) =>
    illFormed(child, path === '' ? name : `${path}.${name}`),
  );
}

const faultOfBody = (message: string): ValidationFailedError =>
  new ValidationFailedError([{ field: 'body', message }]);

class UnsupportedMediaTypeError extends DomainError {
  constructor(detail: string) {
    super(415, 'UNSUPPORTED_MEDIA_TYPE', detail);
  }
}

class BodyTooLargeError extends DomainError {
  constructor() {
    super(413, 'BODY_TOO_LARGE', `the body has more than ${MAX_BODY_BYTES} bytes`);
  }
}
