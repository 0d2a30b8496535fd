import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';

/** The HTTP contract of the whole program, as checked in at `openapi.json`. */
export function openApiDocument(app: INestApplication): OpenAPIObject {
  const base = new DocumentBuilder()
    .setTitle('webook')
    .setDescription(
      'Reads, likes, collects, the follow graph and live top-N boards of a content platform. ' +
        'Errors are `application/problem+json` with a stable `code`. In development, ' +
        '`POST /api/auth/dev-token` hands out the token that *Authorize* asks for.',
    )
    .setVersion('1')
    .addBearerAuth()
    .build();
  return SwaggerModule.createDocument(app, base);
}

/** Swagger UI at /docs, the document at /docs-json; made on the first request for it. */
export function setupDocs(app: INestApplication): void {
  SwaggerModule.setup('docs', app, () => openApiDocument(app), {
    jsonDocumentUrl: 'docs-json',
    yamlDocumentUrl: 'docs-yaml',
    customSiteTitle: 'webook API',
    swaggerOptions: { persistAuthorization: true },
  });
}
