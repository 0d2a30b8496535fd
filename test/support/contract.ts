import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv, type AnySchemaObject, type ValidateFunction } from 'ajv';
import type { Answer } from './answer';

interface Operation {
  responses: Record<string, { content?: Record<string, { schema: AnySchemaObject }> }>;
}
interface Document {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, AnySchemaObject> };
}

const document = JSON.parse(
  readFileSync(join(__dirname, '../../openapi.json'), 'utf8'),
) as Document;
// An answer has only the documented fields.
for (const schema of Object.values(document.components.schemas))
  schema.additionalProperties ??= false;
const ajv = new Ajv({ strict: false }).addSchema(document, 'openapi');

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
  const response = operation.responses[answer.status];
  if (!response) throw new Error(`${what} is not documented: ${JSON.stringify(answer.body)}`);
  const type = (answer.headers.get('content-type') ?? '').split(';')[0] as string;
  if (!response.content) {
    if (answer.body !== '') throw new Error(`${what} has a body that is not documented`);
    return;
  }
  if (!response.content[type]) throw new Error(`${what} is documented, but not as ${type}`);
  const pointer = ['paths', route.template, name, 'responses', answer.status, 'content', type];
  const key = [...pointer, 'schema'].map((part) => escaped(String(part))).join('/');
  let validate = validators.get(key);
  if (!validate) validators.set(key, (validate = ajv.compile({ $ref: `openapi#/${key}` })));
  if (!validate(answer.body))
    throw new Error(`${what} is not as documented: ${ajv.errorsText(validate.errors)}`);
}

/** A worker has no API routes, and production not all of them. */
const isUnrouted = ({ body }: Answer<unknown>): boolean =>
  (body as { code?: unknown }).code === 'ROUTE_NOT_FOUND';

const escaped = (part: string): string =>
  encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'));
