import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { SwaggerModule } from '@nestjs/swagger';
import type { FastifyInstance } from 'fastify';
import { openApiDocument } from './openapi';
import { pageHeaders } from './platform/http';

/** Swagger UI uses inline styles, and icons from data URLs. */
const DOCS_HEADERS = pageHeaders(
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:",
);

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
