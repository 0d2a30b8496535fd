import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CryptoKey, exportJWK, generateKeyPair, SignJWT } from 'jose';
import {
  type Answer,
  eventually,
  expectProblem,
  isolatedStack,
  Program,
  type StackEnvironment,
} from './support';

let stack: StackEnvironment;
beforeAll(async () => {
  stack = await isolatedStack('http');
});

describe('the HTTP server', () => {
  let program: Program;
  beforeAll(async () => {
    program = await Program.start({ env: { ...stack } });
  });
  afterAll(() => program.stop());

  it('returns the id of each request: the one that the client sent if it is safe', async () => {
    const safe = await program.get('/healthz', { headers: { 'x-request-id': 'trace-42.a:b' } });
    expect(safe.headers.get('x-request-id')).toBe('trace-42.a:b');
    const unsafe = await program.get('/healthz', {
      headers: { 'x-request-id': '<b>'.repeat(90) },
    });
    expect(unsafe.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('issues a development token', async () => {
    const { status, body } = await program.post<{ token: string; expiresAt: number }>(
      '/api/auth/dev-token',
      { userId: 9_007_199_254_740_991 },
    );
    expect(status).toBe(200);
    expect(body.expiresAt).toBeGreaterThan(Date.now());
    expect((await program.get('/api/articles', { token: body.token })).status).toBe(200);
  });

  it.each([
    { userId: 0 },
    { userId: -1 },
    { userId: 1.5 },
    { userId: 2 ** 53 },
    { userId: '1' },
    {},
  ])('refuses a development token for %j', async (body) => {
    expectProblem(await program.post('/api/auth/dev-token', body), 400, 'VALIDATION_FAILED');
  });

  it('accepts an empty body with the content type JSON', async () => {
    const json = { token: await program.token(1), headers: { 'content-type': 'application/json' } };
    const answer = await program.request('PUT', '/api/interactive/et/1/like', undefined, json);
    expect(answer).toMatchObject({ status: 200, body: { liked: true } });
  });

  it.each([
    ['half of a surrogate pair', '{"title":"\\ud83e","content":"c"}', 'VALIDATION_FAILED', 'title'],
    [
      'invalid UTF-8',
      Buffer.from('{"title":"\xff","content":"c"}', 'latin1'),
      'MALFORMED_REQUEST',
      'request',
    ],
  ])('refuses %s, which would be stored as another text', async (_, body, code, field) => {
    const headers = {
      authorization: `Bearer ${await program.token(1)}`,
      'content-type': 'application/json',
    };
    const post = { method: 'POST', headers, body };
    const response = await fetch(`${program.url}/api/articles`, post);
    const answer = {
      status: response.status,
      headers: response.headers,
      body: await response.json(),
    };
    const { errors } = expectProblem(answer, 400, code);
    expect(errors?.[0]?.field).toBe(field);
  });

  it('accepts complete surrogate pairs, also as escapes', async () => {
    const token = await program.token(1);
    const body = '{"title":"\\ud83e\\udd8a","content":"\\\\ud83e"}';
    const { body: draft } = await program.post<{ id: number }>('/api/articles', body, { token });
    expect(await program.get(`/api/articles/${draft.id}`, { token })).toMatchObject({
      body: { title: '🦊', content: '\\ud83e' },
    });
  });

  it.each(['1e1', '0x5', '%2B5', '%205', '1.0', ''])('refuses %j as a limit', async (limit) => {
    const answer = await program.get(`/api/ranking/likes?limit=${limit}`);
    const { errors } = expectProblem(answer, 400, 'VALIDATION_FAILED');
    expect(errors).toEqual([
      { field: 'limit', message: "must be a whole number from 1 to the board's size" },
    ]);
  });

  it('reports the fault of a very long id', async () => {
    const answer = await program.get(`/api/articles/${'9'.repeat(10_000)}/published`);
    expectProblem(answer, 400, 'VALIDATION_FAILED');
  });

  it.each([
    ['input that is not HTTP', 'HELLO\r\n\r\n', 400, 'MALFORMED_REQUEST'],
    ['a request without Host', 'GET /healthz HTTP/1.1\r\n\r\n', 400, 'MALFORMED_REQUEST'],
    [
      'a request with two Hosts',
      'GET /healthz HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n',
      400,
      'MALFORMED_REQUEST',
    ],
    [
      'a Host that is none',
      'GET /healthz HTTP/1.1\r\nHost: a/b c\r\n\r\n',
      400,
      'MALFORMED_REQUEST',
    ],
    [
      'a URL that is not encoded correctly',
      'GET /api/articles/%zz HTTP/1.1\r\nHost: x\r\n\r\n',
      400,
      'MALFORMED_REQUEST',
    ],
    [
      'two lengths of a body',
      'POST /api/articles HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
      'MALFORMED_REQUEST',
    ],
    [
      'a body over the size limit',
      `POST /api/auth/dev-token HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2000000\r\n\r\n{`,
      413,
      'BODY_TOO_LARGE',
    ],
    [
      'a chunked body over the size limit',
      `POST /api/auth/dev-token HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n100001\r\n${' '.repeat(0x100001)}\r\n0\r\n\r\n`,
      413,
      'BODY_TOO_LARGE',
    ],
    [
      'a body with a malformed content type',
      'POST /api/auth/dev-token HTTP/1.1\r\nHost: x\r\nContent-Type: ;\r\nContent-Length: 2\r\n\r\n{}',
      415,
      'UNSUPPORTED_MEDIA_TYPE',
    ],
    [
      'a method that is unknown',
      'PURGE /healthz HTTP/1.1\r\nHost: x\r\n\r\n',
      405,
      'METHOD_NOT_ALLOWED',
    ],
    ['an unknown path', 'TRACE /nothing HTTP/1.1\r\nHost: x\r\n\r\n', 404, 'ROUTE_NOT_FOUND'],
    [
      'headers over the size limit',
      `GET /healthz HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
      431,
      'HEADERS_TOO_LARGE',
    ],
    [
      'an unknown expectation',
      'GET /healthz HTTP/1.1\r\nHost: x\r\nExpect: more\r\n\r\n',
      417,
      'EXPECTATION_FAILED',
    ],
  ])('answers %s with a problem', async (_, text, status, code) => {
    expectProblem(await sendRaw(text), status, code);
  });

  it('logs no warning when a client leaves in the middle of its body', async () => {
    const token = await program.token(1);
    const before = program.output.length;
    const socket = connect(Number(new URL(program.url).port), '127.0.0.1');
    socket.write(
      `POST /api/articles?cut HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n` +
        'Expect: 100-continue\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{',
    );
    // "100 Continue" arrives once the program has the request.
    await once(socket, 'data');
    socket.resetAndDestroy();
    await eventually(async () => {
      const { body } = await program.get<string>('/metrics');
      expect(body).toMatch(
        /request_seconds_count\{method="POST",route="\/api\/articles",status="400"/,
      );
    });
    expect(program.output.slice(before)).not.toContain('/api/articles?cut');
  });

  /** Sends text that no HTTP client would send, and returns the answer once the connection ends. */
  async function sendRaw(text: string): Promise<Answer<unknown>> {
    const socket = connect(Number(new URL(program.url).port), '127.0.0.1');
    let received = '';
    socket.on('data', (chunk: Buffer) => (received += chunk.toString()));
    socket.end(text);
    await once(socket, 'close');
    const [head = '', body = ''] = received.split('\r\n\r\n');
    const [statusLine = '', ...lines] = head.split('\r\n');
    const headers = new Headers(lines.map((line) => line.split(': ') as [string, string]));
    return { status: Number(statusLine.split(' ')[1]), headers, body: JSON.parse(body) };
  }

  it.each([
    'Bearer',
    'Bearer ',
    'Basic dTpw',
    'bearer a b',
    'Bearer ä'.normalize('NFD').slice(0, 8),
  ])('refuses the header Authorization: %j', async (authorization) => {
    const answer = await program.get('/api/articles', { headers: { authorization } });
    expectProblem(answer, 401, 'UNAUTHORIZED');
  });

  it('answers HEAD like GET without a body, and holds no stream open', async () => {
    const timers = async () => {
      const { body } = await program.get<string>('/metrics');
      return Number(/^nodejs_active_resources\{type="Timeout"\} (\d+)/m.exec(body)?.[1]);
    };
    const paths = ['/api/ranking/likes/stream', '/api/ranking/stream?boards=likes,reads'];
    const before = await timers();
    for (let i = 0; i < 50; i++)
      for (const path of paths) {
        const { status, headers, body } = await program.request<string>('HEAD', path);
        expect({ status, body }).toEqual({ status: 200, body: '' });
        expect(headers.get('content-type')).toContain('text/event-stream');
      }
    await eventually(async () => expect(await timers()).toBeLessThan(before + 50));
    for (const path of ['/', '/healthz', '/metrics', '/docs', '/api/ranking', '/api/ranking/likes'])
      expect(await program.request('HEAD', path)).toMatchObject({ status: 200, body: '' });
    expect((await program.request('HEAD', '/api/articles/1/published')).status).toBe(404);
  });

  it('serves Swagger UI and the metrics', async () => {
    const docs = await program.get<string>('/docs');
    expect(docs.headers.get('content-type')).toContain('text/html');
    expect(docs.body).toContain('webook API');
    const script = await program.get<string>('/docs/swagger-ui-bundle.js');
    expect(script.status).toBe(200);
    await program.get('/api/articles/1/published');
    const { body } = await program.get<string>('/metrics');
    expect(body).toMatch(
      /webook_http_request_seconds_count\{method="GET",route="\/api\/articles\/:id\/published",status="404"\} \d/,
    );
  });
});

describe('tokens signed by a key set', () => {
  let keySetServer: Server;
  let keySet: object = { keys: [] };
  let program: Program;
  const keys: Record<string, CryptoKey> = {};

  const tokenOf = (alg: string, key: CryptoKey | Uint8Array, kid = alg) =>
    new SignJWT()
      .setProtectedHeader({ alg, kid })
      .setSubject('42')
      .setExpirationTime('1h')
      .sign(key);
  const call = (token: string) => program.get('/api/articles', { token });

  beforeAll(async () => {
    const published = [];
    for (const alg of ['RS256', 'ES256']) {
      const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
      keys[alg] = privateKey;
      published.push({ ...(await exportJWK(publicKey)), kid: alg, alg, use: 'sig' });
    }
    keySet = { keys: published };
    keySetServer = createServer((_, response) => response.end(JSON.stringify(keySet)));
    keySetServer.listen(0, '127.0.0.1');
    await once(keySetServer, 'listening');
    const { port } = keySetServer.address() as AddressInfo;
    program = await Program.start({
      name: 'the program in production',
      env: {
        ...stack,
        NODE_ENV: 'production',
        JWT_JWKS_URL: `http://127.0.0.1:${port}/jwks.json`,
      },
    });
  });
  afterAll(async () => {
    await program?.stop();
    keySetServer.close();
  });

  it('are refused with 503 only while the key set is unavailable', async () => {
    const token = await tokenOf('RS256', keys.RS256!);
    const { port } = keySetServer.address() as AddressInfo;
    keySetServer.closeAllConnections();
    await new Promise((resolve) => keySetServer.close(resolve));
    // Nothing internal, such as the key set's address, reaches the client.
    for (let i = 0; i < 2; i++)
      expect(expectProblem(await call(token), 503, 'UNAVAILABLE').detail).toBe(
        'key set is unavailable',
      );
    expect(program.output).toMatch(/JWT_JWKS_URL cannot be used.*ECONNREFUSED/);
    keySetServer.listen(port, '127.0.0.1');
    await once(keySetServer, 'listening');
    await eventually(async () => expect((await call(token)).status).toBe(200));
  });

  it.each(['RS256', 'ES256'])('are accepted when signed with %s', async (alg) => {
    expect((await call(await tokenOf(alg, keys[alg]!))).status).toBe(200);
  });

  it('are refused when signed with an unknown key or with a shared secret', async () => {
    const { privateKey } = await generateKeyPair('RS256');
    expectProblem(await call(await tokenOf('RS256', privateKey)), 401, 'UNAUTHORIZED');
    expectProblem(await call(await tokenOf('RS256', privateKey, 'other')), 401, 'UNAUTHORIZED');
    const development = new TextEncoder().encode('webook-development-secret');
    expectProblem(await call(await tokenOf('HS256', development)), 401, 'UNAUTHORIZED');
  });

  it('are the only ones in production: the program issues none', async () => {
    expectProblem(await program.post('/api/auth/dev-token', { userId: 1 }), 404, 'ROUTE_NOT_FOUND');
    const { body } = await program.get<{ paths: object }>('/docs-json');
    expect(Object.keys(body.paths)).not.toContain('/api/auth/dev-token');
  });
});

describe('a worker', () => {
  it('serves health and metrics, but not the API', async () => {
    const worker = await Program.start({ name: 'the worker', env: { ...stack, ROLE: 'worker' } });
    try {
      expect((await worker.get('/healthz')).status).toBe(200);
      expect((await worker.get('/metrics')).status).toBe(200);
      for (const path of ['/api/ranking', '/docs', '/', '/metrics/x'])
        expectProblem(await worker.get(path), 404, 'ROUTE_NOT_FOUND');
    } finally {
      await worker.stop();
    }
  });
});

describe('a wrong configuration', () => {
  const boot = async (env: Record<string, string>) => {
    const program = Program.spawn({ env: { ...stack, ...env } });
    return { code: await program.ended(), output: program.output.trim() };
  };

  it('stops a boot in production without a secret or a key set', async () => {
    expect(await boot({ NODE_ENV: 'production' })).toEqual({
      code: 1,
      output:
        'The configuration is wrong:\n' +
        '  JWT_SECRET or JWT_JWKS_URL must be set in production, ' +
        'e.g. JWT_SECRET=$(openssl rand -hex 32)',
    });
  });

  it('stops a boot in production with a secret that can be guessed', async () => {
    expect(await boot({ NODE_ENV: 'production', JWT_SECRET: 'webook-development-secret' })).toEqual(
      {
        code: 1,
        output:
          'The configuration is wrong:\n' +
          '  JWT_SECRET is set but must be random in production, not words, sequences or ' +
          'repetitions, e.g. JWT_SECRET=$(openssl rand -hex 32)',
      },
    );
  });

  it('stops a boot when Canal hashes to a number of partitions other than the topic has', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'webook-'));
    const path = join(folder, 'instance.properties');
    writeFileSync(path, 'canal.mq.topic=webook_binlog\ncanal.mq.partitionsNum=5\n');
    try {
      const { code, output } = await boot({ CANAL_PROPERTIES: path });
      expect(code).toBe(1);
      expect(output).toContain(
        `Topic webook_binlog has 3 partitions by its contract, but Canal hashes to 5 (canal.mq.partitionsNum in ${path}): set canal.mq.partitionsNum=3 and restart Canal.`,
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('is reported with every wrong variable, its fault and an example', async () => {
    expect(await boot({ PORT: 'eighty', RANKING_SIZE: '0', MYSQL_URL: 'localhost' })).toEqual({
      code: 1,
      output:
        'The configuration is wrong:\n' +
        '  PORT is "eighty" but must be a port number, e.g. PORT=3000\n' +
        '  MYSQL_URL is set but must be like mysql://user:password@127.0.0.1:3306/webook\n' +
        '  RANKING_SIZE is "0" but must be at least 1',
    });
  });

  it.each([
    [
      { HOST: '192.0.2.1' },
      /^HOST is "192.0.2.1" and PORT 0, where webook cannot listen, e.g. HOST=127.0.0.1/,
    ],
    [{ CANAL_PROPERTIES: '/nope' }, /^CANAL_PROPERTIES is \/nope, but there is no such file/],
    [
      { CONSUMER_GROUPS: 'interactive,nope' },
      /^CONSUMER_GROUPS names nope, but the groups are .*\bhistory\b/,
    ],
  ])('that is found only in use is reported in one sentence too: %j', async (env, sentence) => {
    const { code, output } = await boot(env);
    expect(code).toBe(1);
    expect(output).not.toMatch(/^ +at /m);
    expect(output.split('\n').at(-1)).toMatch(sentence);
  });
});
