import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv, type AnySchemaObject, type ValidateFunction } from 'ajv';
import type { Answer } from './answer';

interface Response {
  $ref?: string;
  headers?: Record<string, { $ref: string }>;
  content?: Record<string, { schema: AnySchemaObject }>;
}
interface Document {
  paths: Record<string, Record<string, { responses: Record<string, Response> }>>;
  components: {
    schemas: Record<string, AnySchemaObject>;
    headers: Record<string, { schema: AnySchemaObject }>;
    responses: Record<string, Response>;
  };
}

const document = JSON.parse(
  readFileSync(join(__dirname, '../../openapi.json'), 'utf8'),
) as Document;
// An answer has only the documented fields.
for (const schema of Object.values(document.components.schemas))
  schema.additionalProperties ??= false;
const formats = {
  // A number that JavaScript reads exactly.
  int64: { type: 'number', validate: Number.isSafeInteger } as const,
  uri: URL.canParse,
};
const ajv = new Ajv({ strict: false, formats }).addSchema(document, 'openapi');

// Paths with fewer parameters are compared first: likes is not a biz.
const routes = Object.entries(document.paths)
  .sort(([a], [b]) => a.split('{').length - b.split('{').length)
  .map(([template, item]) => ({
    template,
    pattern: new RegExp(`^${template.replaceAll(/\{\w+\}/g, '[^/]+')}$`),
    item,
  }));
const validators = new Map<string, ValidateFunction>();

/** @throws when the answer of a documented route differs from openapi.json */
export function expectContract(method: string, path: string, answer: Answer<unknown>): void {
  const { pathname } = new URL(path, 'http://program');
  const name = method.toLowerCase();
  const route = routes.find(({ pattern, item }) => pattern.test(pathname) && item[name]);
  const operation = route?.item[name];
  if (!route || !operation || isUnrouted(answer)) return;
  const what = `${method} ${route.template} -> ${answer.status}`;
  const declared = operation.responses[answer.status];
  if (!declared) throw new Error(`${what} is not documented: ${JSON.stringify(answer.body)}`);
  const shared = declared.$ref?.split('/').at(-1);
  const response = shared === undefined ? declared : document.components.responses[shared]!;
  expectHeaders(what, response, answer);
  const type = (answer.headers.get('content-type') ?? '').split(';')[0] as string;
  if (!response.content) {
    if (answer.body !== '') throw new Error(`${what} has a body that is not documented`);
    return;
  }
  if (!response.content[type]) throw new Error(`${what} is documented, but not as ${type}`);
  const place =
    shared === undefined
      ? ['paths', route.template, name, 'responses', String(answer.status)]
      : ['components', 'responses', shared];
  const validate = validatorOf([...place, 'content', type, 'schema']);
  if (!validate(answer.body))
    throw new Error(`${what} is not as documented: ${ajv.errorsText(validate.errors)}`);
}

function expectHeaders(what: string, response: Response, { headers }: Answer<unknown>): void {
  for (const name of Object.keys(response.headers ?? {})) {
    const value = headers.get(name);
    if (value === null) throw new Error(`${what} has no header ${name}`);
    const { type } = document.components.headers[name]!.schema;
    const validate = validatorOf(['components', 'headers', name, 'schema']);
    if (!validate(type === 'integer' ? Number(value) : value))
      throw new Error(`${what} has another ${name}: ${value}`);
  }
}

/** @param place of a schema in the document */
function validatorOf(place: readonly string[]): ValidateFunction {
  const key = place.map(escaped).join('/');
  let validate = validators.get(key);
  if (!validate) validators.set(key, (validate = ajv.compile({ $ref: `openapi#/${key}` })));
  return validate;
}

/** A worker has no API routes, and production not all of them. */
const isUnrouted = ({ body }: Answer<unknown>): boolean =>
  (body as { code?: unknown }).code === 'ROUTE_NOT_FOUND';

const escaped = (part: string): string =>
  encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'));
