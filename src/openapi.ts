import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { Environment } from './platform/config';

type PathItem = OpenAPIObject['paths'][string];
type Operation = NonNullable<PathItem['get']>;
type Components = NonNullable<OpenAPIObject['components']>;
type Schema = NonNullable<Components['schemas']>[string];
type Response = Exclude<Operation['responses'][string], { $ref: string } | undefined>;
type Headers = NonNullable<Response['headers']>;

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;

const HEADERS: Headers = {
  'x-request-id': {
    description: 'The id of the request, which the log has too: the caller’s, if it is safe',
    required: true,
    schema: { type: 'string', pattern: '^[A-Za-z0-9_.:-]{1,128}$' },
  },
  'x-content-type-options': { required: true, schema: { type: 'string', enum: ['nosniff'] } },
  'retry-after': {
    description: 'Seconds after which a repeated request may succeed',
    required: true,
    schema: { type: 'integer', minimum: 1 },
  },
  'www-authenticate': { required: true, schema: { type: 'string', enum: ['Bearer'] } },
};

/** What the server answers before it knows the route. */
const ANY_ROUTE = {
  408: problem('`REQUEST_TIMEOUT`: the request did not arrive in time'),
  417: problem('`EXPECTATION_FAILED`: an expectation other than `100-continue`'),
  431: problem('`HEADERS_TOO_LARGE`: more than 16 KiB of headers'),
};

/** What routes answer whose method may have a body, also those that take none. */
const WITH_BODY = {
  413: problem('`BODY_TOO_LARGE`: more than 1 MiB'),
  415: problem('`UNSUPPORTED_MEDIA_TYPE`: the body must be uncompressed JSON in UTF-8'),
};

/** What routes answer that use MySQL, Redis or the event log. */
const WITH_DEPENDENCIES = {
  503: problem(
    '`UNAVAILABLE`: a dependency does not answer; try again after `Retry-After` seconds',
  ),
};

/** The HTTP contract of the whole program; `openapi.json` is the checked-in copy. */
export function openApiDocument(app: INestApplication): OpenAPIObject {
  const base = new DocumentBuilder()
    .setTitle('webook')
    .setDescription(
      'Reads, likes, collects and live top-N boards of a content platform. ' +
        'Errors are `application/problem+json` with a stable `code`. A path without routes is 404, ' +
        'another method 405 with `Allow`; HEAD is answered like GET. In development, ' +
        '`POST /api/auth/dev-token` returns the token for *Authorize*.',
    )
    .setVersion('1')
    .addBearerAuth()
    .build();
  const document = SwaggerModule.createDocument(app, base);
  const components = (document.components ??= {});
  components.headers = HEADERS;
  components.responses = {};
  for (const [path, item] of Object.entries(document.paths))
    for (const method of METHODS)
      if (item[method]) complete(path, method, item[method], components);
  limitBoards(document, app.get(Environment).RANKING_SIZE);
  return document;
}

/** Adds what every route has, so that it is not repeated at each of them. */
function complete(
  path: string,
  method: (typeof METHODS)[number],
  operation: Operation,
  components: Components,
): void {
  const { responses } = operation;
  addMalformed(responses, path.includes('{') || method !== 'get');
  share(responses, ANY_ROUTE, components);
  if (method !== 'get') share(responses, WITH_BODY, components);
  if (path.startsWith('/api/')) share(responses, WITH_DEPENDENCIES, components);
  for (const [status, response] of Object.entries(responses))
    if (response && 'description' in response) response.headers = headersOf(status);
  const body = operation.requestBody;
  if (body && 'content' in body)
    refuseOtherFields(body.content['application/json']?.schema, components);
}

/** Any route is 400 for a request that is no correct HTTP, or has fields that it does not take. */
function addMalformed(responses: Operation['responses'], isValidated: boolean): void {
  const validated = isValidated ? '`VALIDATION_FAILED`, ' : '';
  const present = responses['400'] as Response | undefined;
  if (present) present.description += ', `MALFORMED_REQUEST`';
  else responses['400'] = problem(`${validated}\`MALFORMED_REQUEST\``);
}

/** Refers to responses that many operations have, which are written once. */
function share(
  responses: Operation['responses'],
  shared: Readonly<Record<string, Response>>,
  components: Components,
): void {
  for (const [status, response] of Object.entries(shared)) {
    if (responses[status]) continue;
    const name = `Problem${status}`;
    (components.responses ??= {})[name] ??= { ...response, headers: headersOf(status) };
    responses[status] = { $ref: `#/components/responses/${name}` };
  }
}

function headersOf(status: string): Headers {
  const names = ['x-request-id', 'x-content-type-options'];
  if (status === '503') names.push('retry-after');
  if (status === '401') names.push('www-authenticate');
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

/** Bodies are refused that have unknown fields, in nested objects too. Answers may get new ones. */
function refuseOtherFields(schema: Schema | undefined, { schemas = {} }: Components): void {
  if (!schema) return;
  if ('$ref' in schema) {
    refuseOtherFields(schemas[schema.$ref.split('/').at(-1) as string], { schemas });
    return;
  }
  if (schema.items) refuseOtherFields(schema.items, { schemas });
  if (!schema.properties) return;
  schema.additionalProperties = false;
  for (const property of Object.values(schema.properties)) refuseOtherFields(property, { schemas });
}

/** At most the size of a board can be asked for, which is a setting. */
function limitBoards({ paths }: OpenAPIObject, size: number): void {
  for (const [path, { get }] of Object.entries(paths))
    for (const parameter of (path.startsWith('/api/ranking/') && get?.parameters) || [])
      if ('schema' in parameter && parameter.name === 'limit')
        Object.assign(parameter.schema as object, { maximum: size });
}

function problem(description: string): Response {
  return {
    description,
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  };
}
