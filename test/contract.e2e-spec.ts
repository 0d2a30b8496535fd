import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expectProblem, Program, streamsWithRelay } from './support';

interface Operation {
  parameters?: { name: string; in: string; schema: { type?: string } }[];
  requestBody?: { content: { 'application/json'?: { schema: { $ref?: string } } } };
  responses: Record<string, unknown>;
  security?: object[];
}
interface OpenApi {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, { required?: string[]; properties: object }> };
}
interface Route {
  route: string;
  method: string;
  path: string;
  operation: Operation;
}

const root = join(__dirname, '..');
const snapshot = join(root, 'openapi.json');
const document = JSON.parse(readFileSync(snapshot, 'utf8')) as OpenApi;
const routes: Route[] = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({
    route: `${method.toUpperCase()} ${path}`,
    method: method.toUpperCase(),
    path,
    operation,
  })),
);
const needsToken = ({ operation }: Route) =>
  operation.security?.some((scheme) => 'bearer' in scheme) &&
  !operation.security.some((scheme) => Object.keys(scheme).length === 0);
const takesToken = ({ operation }: Route) => operation.security !== undefined;
const takesBody = ({ operation }: Route) =>
  operation.requestBody?.content['application/json'] !== undefined;
const takesNoBody = (route: Route) => route.method !== 'GET' && !takesBody(route);
const isList = ({ operation }: Route) =>
  operation.parameters?.some(({ name }) => name === 'cursor') ?? false;
const pathParameters = ({ operation }: Route) =>
  (operation.parameters ?? []).filter((parameter) => parameter.in === 'path');

/** The path with valid values, except those given. */
const pathWith = (path: string, values: Record<string, string> = {}) =>
  path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(values[name] ?? { biz: 'et', board: 'likes' }[name] ?? '1'),
  );

// Routes that other programs rely on.
const PROMISED = `
  POST /api/auth/dev-token
  POST /api/articles
  PUT /api/articles/{id}
  POST /api/articles/{id}/publish
  POST /api/articles/{id}/withdraw
  GET /api/articles
  GET /api/articles/{id}
  GET /api/articles/{id}/published
  GET /api/interactive/{biz}/{bizId}
  POST /api/interactive/query
  POST /api/interactive/{biz}/{bizId}/reads
  PUT /api/interactive/{biz}/{bizId}/like
  DELETE /api/interactive/{biz}/{bizId}/like
  PUT /api/interactive/{biz}/{bizId}/collection
  DELETE /api/interactive/{biz}/{bizId}/collection
  GET /api/interactive/likes
  GET /api/collections
  POST /api/collections
  PATCH /api/collections/{id}
  DELETE /api/collections/{id}
  GET /api/collections/{id}/items
  GET /api/history
  DELETE /api/history
  DELETE /api/history/{biz}/{bizId}
  GET /api/ranking
  GET /api/ranking/{board}
  GET /api/ranking/{board}/items/{id}
  GET /api/ranking/{board}/stream
  GET /healthz
  GET /readyz
  GET /metrics`
  .trim()
  .split(/\n\s*/);

describe('the HTTP contract', () => {
  let program: Program;
  let token: string;

  beforeAll(async () => {
    program = await Program.start({ env: await streamsWithRelay.prepare('contract') });
    token = await program.token(1);
    for (const n of [1, 2]) {
      await program.post('/api/articles', { title: `a${n}`, content: '' }, { token });
      await program.post('/api/collections', { name: `c${n}` }, { token });
      await program.put(`/api/interactive/et/${100 + n}/like`, undefined, { token });
    }
  });
  afterAll(() => program.stop());

  it('equals the checked-in openapi.json (UPDATE_SNAPSHOTS=1 rewrites it)', async () => {
    const { body } = await program.get<OpenApi>('/docs-json');
    if (process.env.UPDATE_SNAPSHOTS === '1')
      writeFileSync(snapshot, `${JSON.stringify(body, null, 2)}\n`);
    expect(body).toEqual(JSON.parse(readFileSync(snapshot, 'utf8')));
  });

  it('has every promised route', () => {
    expect(routes.map(({ route }) => route)).toEqual(expect.arrayContaining(PROMISED));
  });

  it('documents each route with a summary and a successful answer', () => {
    for (const { route, operation } of routes) {
      expect({ route, operation }).toMatchObject({
        operation: { summary: expect.stringMatching(/\w/) as string },
      });
      expect({ route, statuses: Object.keys(operation.responses).join() }).toMatchObject({
        statuses: expect.stringMatching(/20\d/) as string,
      });
    }
  });

  it.each(routes.filter(needsToken))('$route: 401 without a token', async ({ method, path }) => {
    const answer = await program.request(method, pathWith(path));
    expectProblem(answer, 401, 'UNAUTHORIZED');
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
  });

  it.each(routes.filter(takesToken))(
    '$route: 401 with a wrong token, even where a token is optional',
    async ({ method, path }) => {
      const wrong = `${token.slice(0, -3)}AAA`;
      expectProblem(
        await program.request(method, pathWith(path), undefined, { token: wrong }),
        401,
        'UNAUTHORIZED',
      );
    },
  );

  const withIds = routes.filter((route) =>
    pathParameters(route).some(({ schema }) => schema.type === 'integer'),
  );
  it.each(withIds)('$route: 400 for an invalid id', async (route) => {
    const parameter = pathParameters(route).find(({ schema }) => schema.type === 'integer')!;
    for (const bad of ['0', '-1', '1.5', '9007199254740992', 'abc', '1e3', '0x1', '١']) {
      const path = pathWith(route.path, { [parameter.name]: bad });
      const answer = await program.request(route.method, path, bodyFor(route), { token });
      const { errors } = expectProblem(answer, 400, 'VALIDATION_FAILED');
      expect(errors?.map(({ field }) => field)).toEqual([parameter.name]);
    }
  });

  const withBiz = routes.filter((route) =>
    pathParameters(route).some(({ name }) => name === 'biz'),
  );
  it.each(withBiz)('$route: 400 for an invalid kind of object', async (route) => {
    for (const biz of ['Article', '1a', '-', 'a'.repeat(33), 'a b']) {
      const path = pathWith(route.path, { biz });
      const answer = await program.request(route.method, path, bodyFor(route), { token });
      const { errors } = expectProblem(answer, 400, 'VALIDATION_FAILED');
      expect(errors?.map(({ field }) => field)).toEqual(['biz']);
    }
  });

  it.each(routes.filter(isList))('$route: 400 for wrong limits', async (route) => {
    const path = pathWith(route.path);
    const wrong = [
      '0',
      '101',
      '-1',
      '1.5',
      'ten',
      '',
      '1e1',
      '0x10',
      '%2B5',
      '%2010',
      '01',
      '1&limit=2',
    ];
    for (const limit of wrong) {
      const answer = await program.get(`${path}?limit=${limit}`, { token });
      const { errors } = expectProblem(answer, 400, 'VALIDATION_FAILED');
      expect(errors?.map(({ field }) => field)).toEqual(['limit']);
    }
  });

  it.each(routes.filter(isList))(
    '$route: 400 for a cursor that it did not issue',
    async ({ path }) => {
      const others = await cursorsOfOtherLists(path);
      const send = (cursor: string) => program.get(`${pathWith(path)}?cursor=${cursor}`, { token });
      for (const cursor of ['', 'x', 'W10', 'WzFd.AAAAAAAA', '%5B1%5D', ...others]) {
        const { errors } = expectProblem(await send(cursor), 400, 'INVALID_CURSOR');
        expect(errors?.map(({ field }) => field)).toEqual(['cursor']);
      }
      for (const cursor of ['x'.repeat(513), 'x&cursor=y'])
        expectProblem(await send(cursor), 400, 'VALIDATION_FAILED');
    },
  );

  /** Valid cursors of lists other than that of `path`: folders, articles, likes of one kind. */
  async function cursorsOfOtherLists(path: string): Promise<string[]> {
    const lists = ['/api/articles', '/api/collections', '/api/interactive/likes?biz=et'];
    const others = lists.filter((list) => list !== path);
    const cursors = others.map(async (list) => {
      const page = `${list}${list.includes('?') ? '&' : '?'}limit=1`;
      const { body } = await program.get<{ nextCursor: string }>(page, { token });
      expect(body.nextCursor).toEqual(expect.any(String));
      return body.nextCursor;
    });
    return Promise.all(cursors);
  }

  it.each(routes.filter(takesBody))('$route: 400 for a wrong body', async (route) => {
    const send = (body: unknown) =>
      program.request(route.method, pathWith(route.path), body, { token });
    const { errors } = expectProblem(
      await send({ ...(bodyFor(route) as object), surplus: 1 }),
      400,
      'VALIDATION_FAILED',
    );
    expect(errors).toContainEqual({ field: 'surplus', message: 'is not a known field' });
    expectProblem(await send('[]'), 400, 'VALIDATION_FAILED');
    expectProblem(await send('"text"'), 400, 'VALIDATION_FAILED');
    expectProblem(await send('{"userId":'), 400, 'MALFORMED_REQUEST');
    const schema = document.components.schemas[schemaName(route)]!;
    if (schema.required?.length) {
      const missing = expectProblem(await send({}), 400, 'VALIDATION_FAILED');
      expect(missing.errors?.map(({ field }) => field)).toEqual(
        expect.arrayContaining(schema.required),
      );
    }
  });

  it.each(routes.filter(takesBody))('$route: 415 for a body that is not JSON', async (route) => {
    const json = JSON.stringify(bodyFor(route));
    const faults: Record<string, string>[] = [
      { 'content-type': 'application/x-www-form-urlencoded' },
      { 'content-type': 'text/plain' },
      { 'content-type': 'application/json; charset=iso-8859-1' },
      { 'content-encoding': 'gzip' },
    ];
    for (const headers of faults) {
      const options = { token, headers };
      const answer = await program.request(route.method, pathWith(route.path), json, options);
      expectProblem(answer, 415, 'UNSUPPORTED_MEDIA_TYPE');
    }
  });

  it.each(routes.filter(takesNoBody))('$route: 400 for any field of a body', async (route) => {
    const send = (body: unknown, headers?: Record<string, string>) =>
      program.request(route.method, pathWith(route.path), body, { token, headers });
    const { errors } = expectProblem(await send({ surplus: 1 }), 400, 'VALIDATION_FAILED');
    expect(errors).toEqual([{ field: 'surplus', message: 'is not a known field' }]);
    expectProblem(await send('[1]'), 400, 'VALIDATION_FAILED');
    expectProblem(await send('{'), 400, 'MALFORMED_REQUEST');
    expectProblem(
      await send('surplus=1', { 'content-type': 'application/x-www-form-urlencoded' }),
      415,
      'UNSUPPORTED_MEDIA_TYPE',
    );
    // A body without fields is accepted, and an empty one with any content type.
    for (const answer of [
      await send({}),
      await send('', { 'content-type': 'application/x-www-form-urlencoded' }),
    ])
      expect([200, 202, 404]).toContain(answer.status);
  });

  it('answers 405 with the methods that a path takes', async () => {
    const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
    for (const path of [...Object.keys(document.paths), '/docs', '/docs-json', '/']) {
      const taken = Object.keys(document.paths[path] ?? { get: 1 }).map((name) =>
        name.toUpperCase(),
      );
      for (const method of methods.filter((name) => !taken.includes(name))) {
        const answer = await program.request(method, pathWith(path));
        expectProblem(answer, 405, 'METHOD_NOT_ALLOWED');
        const allow = answer.headers.get('allow')?.split(', ') ?? [];
        expect(allow.filter((name) => name !== 'HEAD').sort()).toEqual([...taken].sort());
      }
    }
  });

  it('answers unknown routes and unreadable requests with a problem', async () => {
    expectProblem(await program.get('/api/nothing'), 404, 'ROUTE_NOT_FOUND');
    expectProblem(await program.get('/api/articles/%zz'), 400, 'MALFORMED_REQUEST');
    const xml = { headers: { 'content-type': 'application/xml' } };
    expectProblem(
      await program.post('/api/auth/dev-token', '<x/>', xml),
      415,
      'UNSUPPORTED_MEDIA_TYPE',
    );
    const large = JSON.stringify({ title: 'x', content: 'x'.repeat(1_100_000) });
    expectProblem(await program.post('/api/articles', large, { token }), 413, 'BODY_TOO_LARGE');
  });
});

const schemaName = ({ operation }: Route): string =>
  operation.requestBody?.content['application/json']?.schema.$ref?.split('/').at(-1) ?? '';

/** A valid body, for routes that must fail for another reason. */
function bodyFor(route: Route): unknown {
  if (!takesBody(route)) return undefined;
  const bodies: Record<string, object> = {
    DevTokenRequest: { userId: 1 },
    ArticleText: { title: 't', content: 'c' },
    CollectRequest: {},
    CollectionNameRequest: { name: 'n' },
    ObjectsQueryDto: { objects: [{ biz: 'et', bizId: 1 }] },
  };
  const body = bodies[schemaName(route)];
  if (!body) throw new Error(`Add a valid ${schemaName(route)} for ${route.route} here`);
  return body;
}
