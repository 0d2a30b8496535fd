import type { INestApplication } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import type { FastifyInstance } from 'fastify';
import { pageHeaders } from './platform/http';

type PathItem = OpenAPIObject['paths'][string];
type Operation = NonNullable<PathItem['get']>;

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;

/** Swagger UI uses inline styles, and icons from data URLs. */
const DOCS_HEADERS = pageHeaders(
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:",
);

/** The HTTP contract of the whole program; `openapi.json` is the checked-in copy. */
export function openApiDocument(app: INestApplication): OpenAPIObject {
  const base = new DocumentBuilder()
    .setTitle('webook')
    .setDescription(
      'Reads, likes, collects and live top-N boards of a content platform. ' +
        'Errors are `application/problem+json` with a stable `code`. In development, ' +
        '`POST /api/auth/dev-token` returns the token for *Authorize*.',
    )
    .setVersion('1')
    .addBearerAuth()
    .build();
  const document = SwaggerModule.createDocument(app, base);
  for (const [path, item] of Object.entries(document.paths))
    for (const method of METHODS) if (item[method]) complete(path, method, item[method]);
  return document;
}

/** Swagger UI at /docs, the document at /docs-json; created on the first request. */
export function setupDocs(app: NestFastifyApplication): void {
  const fastify: FastifyInstance = app.getHttpAdapter().getInstance();
  fastify.addHook('onRequest', (request, reply, done) => {
    if (request.url.startsWith('/docs')) reply.headers(DOCS_HEADERS);
    done();
  });
  SwaggerModule.setup('docs', app, () => openApiDocument(app), {
    jsonDocumentUrl: 'docs-json',
    yamlDocumentUrl: 'docs-yaml',
    customSiteTitle: 'webook API',
    // No external validator: it would learn the address of this instance.
    swaggerOptions: { persistAuthorization: true, validatorUrl: null },
  });
}

/** Adds the responses that every route has, so that they are not repeated at each of them. */
function complete(path: string, method: (typeof METHODS)[number], operation: Operation): void {
  if (!path.startsWith('/api/')) return;
  operation.responses['400'] ??= problem('`VALIDATION_FAILED`');
  if (method !== 'get') {
    operation.responses['413'] ??= problem('`BODY_TOO_LARGE`: more than 1 MiB');
    operation.responses['415'] ??= problem(
      '`UNSUPPORTED_MEDIA_TYPE`: the body must be uncompressed JSON in UTF-8',
    );
  }
  operation.responses['503'] ??= problem(
    '`UNAVAILABLE`: a dependency does not answer; try again after `Retry-After` seconds',
  );
}

const problem = (description: string) => ({
  description,
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
});
