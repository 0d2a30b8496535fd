import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { json } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import {
  type Answer,
  eventually,
  expectProblem,
  isolatedStack,
  Program,
  type ProblemBody,
} from './support';

const MIB = 1_048_576;

/** Beyond the measure's own resolution of 10 ms; on an idle machine it stays below 100. */
const MAX_BLOCKED_MS = 300;
/** Of an answer, with its headers. */
const MAX_ANSWER_BYTES = 17_000;

let program: Program;
let token: string;
/** A published article whose answers have 800 kB. */
let largeArticle: number;

beforeAll(async () => {
  program = await Program.start({ env: { ...(await isolatedStack('hostile')) } });
  token = await program.token(1);
  const text = { title: 'Large', content: '😀'.repeat(200_000) };
  const { body } = await program.post<{ id: number }>('/api/articles', text, { token });
  largeArticle = body.id;
  await program.post(`/api/articles/${largeArticle}/publish`, undefined, { token });
});
afterAll(() => program.stop());

const metric = async (name: string): Promise<number> => {
  const { body } = await program.get<string>('/metrics');
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(body)?.[1] ?? 0);
};

const dropped = (limit: string): Promise<number> =>
  metric(`webook_http_dropped_connections_total\\{limit="${limit}"\\}`);

/** For how long the program's event loop stood still at most during the work. */
async function blockedMs(work: () => Promise<unknown>): Promise<number> {
  const name = 'nodejs_eventloop_lag_max_seconds';
  // Reading the metric begins a new measurement, which needs two of its timer's ticks of 10 ms.
  await metric(name);
  await setTimeout(40);
  await work();
  await setTimeout(40);
  return (await metric(name)) * 1000 - 10;
}

const port = (): number => Number(new URL(program.url).port);

/** A connection of its own, with all that arrives on it. */
function open(text: string): { socket: Socket; received: () => string } {
  const socket = connect(port(), '127.0.0.1');
  let received = '';
  socket.on('data', (chunk: Buffer) => (received += chunk.toString('latin1')));
  // The program resets connections that it drops.
  socket.on('error', () => undefined);
  socket.write(text);
  return { socket, received: () => received };
}

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;

/** The texts of the answers that a connection has received. */
const answersIn = (received: string): string[] => received.split(/(?=HTTP\/1\.1 )/);

const nest = (depth: number, opening: string, closing: string): string =>
  opening.repeat(depth) + closing.repeat(depth);
const fill = (part: string, bytes = MIB - 100): string =>
  part.repeat(Math.floor(bytes / Buffer.byteLength(part)));
const keys = (count: number): string =>
  Array.from({ length: count }, (_, i) => `"k${i}":1`).join(',');

const BODIES: [name: string, body: string][] = [
  ['nested arrays', nest(MIB / 2, '[', ']')],
  ['nested arrays that never end', fill('[')],
  ['nested arrays of half surrogate pairs', '["\\ud800",'.repeat(95_000)],
  ['nested objects', nest(100_000, '{"a":', '1}')],
  ['deep objects in a known field', `{"name":${nest(50_000, '[', ']')},"title":[],"objects":[]}`],
  ['objects in a known field', `{"name":[${fill('{},').slice(0, -1)}]}`],
  ['many unknown keys', `{${keys(75_000)}}`],
  ['as many unknown keys as there may be', `{${keys(999)}}`],
  ['long unknown keys', `{"${fill('a', MIB / 4)}":{"${fill('b', MIB / 4)}":"\\ud800"}}`],
  [
    'many faults below a long key',
    `{"${fill('a', MIB - 20_000)}":[${'"\\ud800",'.repeat(900)}"\\ud800"]}`,
  ],
  ['duplicate keys', `{${fill('"name":"a",')}"name":"b"}`],
  ['inherited keys', `{"constructor":{"prototype":{"name":1}},"toString":1,"hasOwnProperty":1}`],
  ['__proto__', `{"__proto__":{"name":"x"},"name":"x"}`],
  ['__proto__, spelled differently', `{"\\u005f_proto__"${' '.repeat(MIB / 2)}:1}`],
  ['many beginnings of __proto__', `{"a":"${fill('"__proto_')}"}`],
  ['combining marks', `{"name":"a${fill('\u0315\u0300')}"}`],
  ['combining marks of one kind', `{"name":"a${fill('\u0301')}","title":"a"}`],
  ['Hangul', `{"name":"${fill('\u1100\u1161\u11a8')}"}`],
  ['blanks in a name', `{"name":"${fill(' ')}"}`],
  ['blanks that are no ASCII', `{"name":"${fill('\u3000')}","title":"${'\u3000'.repeat(10)}"}`],
  ['control characters', `{"name":"${fill('\\u0001')}"}`],
  ['escapes', `{"name":"${fill('\\n')}","title":"${'\\\\'.repeat(10)}"}`],
  ['escapes of half surrogate pairs', `{"name":"${fill('\\ud800')}"}`],
  ['long numbers', `{"userId":${fill('9')},"name":1}`],
  ['long fractions', `{"userId":0.${fill('3')}}`],
  ['long exponents', `{"userId":1e${fill('9')}}`],
  ['whitespace', fill(' ')],
  ['whitespace in an array', `[${fill('\n')}]`],
  ['elements', `[${fill('1,')}1]`],
  ['objects to ask for', `{"objects":[${fill('{"biz":"a","bizId":1},')}{}]}`],
  ['faults in objects to ask for', `{"objects":[${'{"x":1},'.repeat(99)}{}]}`],
  ['unknown keys in objects to ask for', `{"objects":[{${keys(400)}},{${keys(400)}}]}`],
  ['a very long biz', `{"objects":[{"biz":"${fill('a')}","bizId":1}]}`],
  ['texts that are no JSON', fill('"a" ')],
  ['a text that never ends', `"${fill('a')}`],
  ['null', 'null'],
];

const ROUTES = [
  ['POST', '/api/collections'],
  ['POST', '/api/articles'],
  ['POST', '/api/interactive/query'],
  ['POST', '/api/auth/dev-token'],
  ['PUT', '/api/interactive/et/1/like'],
  ['PUT', '/api/interactive/et/1/collection'],
  ['POST', '/api/nowhere'],
] as const;

/** The answer must say what is wrong, in few words. */
function expectShortProblem(answer: Answer<unknown>): void {
  const problem = answer.body as ProblemBody;
  expect(answer.status).toBeGreaterThanOrEqual(400);
  expect(answer.status).toBeLessThan(500);
  expectProblem(answer, answer.status, problem.code);
  expect(problem.errors?.length ?? 0).toBeLessThanOrEqual(20);
  expect(JSON.stringify(problem).length).toBeLessThan(16_000);
}

describe('a body of at most 1 MiB', () => {
  it.each(BODIES)('of %s is refused at once with a short problem', async (_, body) => {
    const blocked = await blockedMs(async () => {
      for (const [method, path] of ROUTES)
        expectShortProblem(await program.request(method, path, body, { token }));
    });
    expect(blocked).toBeLessThan(MAX_BLOCKED_MS);
  });

  it.each([
    [
      'the longest article',
      'POST',
      '/api/articles',
      { title: 'x'.repeat(200), content: '😀'.repeat(200_000) },
    ],
    ['many escapes', 'POST', '/api/articles', { title: '"', content: '\u0001'.repeat(170_000) }],
    [
      'all objects at once',
      'POST',
      '/api/interactive/query',
      {
        objects: Array.from({ length: 100 }, (__, i) => ({
          biz: 'b'.repeat(32),
          bizId: 2 ** 53 - 1 - i,
        })),
      },
    ],
  ])('of %s is accepted at once', async (_, method, path, body) => {
    const blocked = await blockedMs(async () =>
      expect((await program.request(method, path, body, { token })).status).toBeLessThan(300),
    );
    expect(blocked).toBeLessThan(MAX_BLOCKED_MS);
  });

  it('that comes byte by byte costs little more memory than its size', async () => {
    const before = await metric('process_resident_memory_bytes');
    const head =
      'POST /api/articles HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n' +
      'Transfer-Encoding: chunked\r\n\r\n';
    const clients = Array.from({ length: 2 }, () => open(head + '1\r\na\r\n'.repeat(500_000)));
    await Promise.all(clients.map(({ socket }) => once(socket, 'drain')));
    await program.get('/healthz');
    const used = (await metric('process_resident_memory_bytes')) - before;
    for (const { socket } of clients) socket.destroy();
    expect(used).toBeLessThan(150 * MIB);
  });

  it('may come in any number of chunks', async () => {
    const article = { title: '文', content: '文 '.repeat(2_000) };
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const post = request(`${program.url}/api/articles`, { method: 'POST', headers });
    for (const byte of Buffer.from(JSON.stringify(article))) post.write(Buffer.of(byte));
    post.end();
    const [answer] = (await once(post, 'response')) as [IncomingMessage];
    const { id } = (await json(answer)) as { id: number };
    expect((await program.get(`/api/articles/${id}`, { token })).body).toMatchObject(article);
  });

  it.each([
    [MIB, 400],
    [MIB + 1, 413],
  ])('of %d bytes is answered with %d', async (bytes, status) => {
    const padded = `{"name":""${' '.repeat(bytes - 11)}}`;
    const answer = await program.post('/api/collections', padded, { token });
    expectProblem(answer, status, status === 413 ? 'BODY_TOO_LARGE' : 'VALIDATION_FAILED');
    const chunked = Buffer.from(padded);
    const response = await fetch(`${program.url}/api/collections`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: new ReadableStream({
        start: (controller) => {
          controller.enqueue(chunked.subarray(0, 1_000));
          controller.enqueue(chunked.subarray(1_000));
          controller.close();
        },
      }),
      duplex: 'half',
    } as RequestInit);
    expect(response.status).toBe(status);
  });
});

describe('a head of at most 16 kB', () => {
  const parameters = (count: number, name = 'k') =>
    Array.from({ length: count }, (_, i) => `${name}${i}=`).join('&');
  it.each([
    ['thousands of parameters', `/api/ranking/likes?${parameters(2_000, '')}`],
    ['a parameter thousands of times', `/api/history?${'limit=1&'.repeat(1_800)}`],
    ['separators', `/api/interactive/likes?${'&'.repeat(15_000)}`],
    ['a long limit', `/api/ranking/likes?limit=${'9'.repeat(15_000)}`],
    ['a long cursor', `/api/history?cursor=${'a.'.repeat(7_000)}`],
    ['a long list of boards', `/api/ranking/stream?boards=${'a,'.repeat(7_000)}`],
    ['a long board', `/api/ranking/${'%F0%9F%98%80'.repeat(1_200)}`],
    ['a long path', `/api${'/a'.repeat(7_000)}`],
    ['a malformed path', `/api/${'%zz'.repeat(5_000)}`],
    ['a long biz', `/api/interactive/${'a'.repeat(15_000)}/1`],
  ])('with %s is refused at once with a short problem', async (_, path) => {
    const blocked = await blockedMs(async () =>
      expectShortProblem(await program.get(path, { token })),
    );
    expect(blocked).toBeLessThan(MAX_BLOCKED_MS);
  });

  it.each([
    ['many headers', Array.from({ length: 1_900 }, (_, i) => `a${i}:`).join('\r\n')],
    ['many cookies', `Cookie: ${'a=b; '.repeat(3_000)}`],
    ['one header many times', 'Accept: a/b\r\n'.repeat(1_100).trimEnd()],
    ['a long content type', `Content-Type: a/b${'; a=b'.repeat(3_000)}`],
    ['blanks in a content type', `Content-Type: application/json;${' '.repeat(15_000)}x`],
    ['a long token', `Authorization: Bearer ${'a.'.repeat(7_500)}`],
    ['blanks in a token', `Authorization: Bearer ${' '.repeat(15_000)}x y`],
    ['a long id', `X-Request-Id: ${'a'.repeat(15_000)}`],
  ])('with %s is answered at once', async (_, lines) => {
    const blocked = await blockedMs(async () => {
      const { socket, received } = open(
        `POST /api/interactive/query HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${lines}\r\n` +
          'Content-Length: 2\r\n\r\n{}',
      );
      await once(socket, 'close');
      expect(received()).toMatch(/^HTTP\/1\.1 4\d\d /);
      expect(received().length).toBeLessThan(MAX_ANSWER_BYTES);
    });
    expect(blocked).toBeLessThan(MAX_BLOCKED_MS);
  });
});

describe('a client that pipelines', () => {
  it('gets its answers in order when it reads them', async () => {
    const paths = Array.from({ length: 1_000 }, (_, i) => `/api/interactive/et/${i + 1}`);
    const { socket, received } = open(paths.map(get).join(''));
    await eventually(() => expect(answersIn(received())).toHaveLength(1_000));
    expect(answersIn(received()).map((text) => /"bizId":(\d+)/.exec(text)?.[1])).toEqual(
      paths.map((_, i) => String(i + 1)),
    );
    socket.destroy();
  });

  it('costs little memory when it reads none of its answers', async () => {
    const before = await metric('process_resident_memory_bytes');
    const clients = Array.from({ length: 5 }, () => {
      const { socket } = open(get(`/api/articles/${largeArticle}/published`).repeat(1_000));
      return socket.pause();
    });
    await setTimeout(2_000);
    const used = (await metric('process_resident_memory_bytes')) - before;
    for (const socket of clients) socket.destroy();
    expect(used).toBeLessThan(300 * MIB);
  });

  it('keeps few files open when it reads none of them', async () => {
    const descriptors = () => readdirSync(`/proc/${program.pid}/fd`).length;
    const before = descriptors();
    const { socket } = open(get('/docs/swagger-ui-bundle.js').repeat(1_000));
    socket.pause();
    await eventually(() => expect(descriptors()).toBeGreaterThan(before + 5));
    await setTimeout(1_000);
    expect(descriptors()).toBeLessThan(before + 20);
    socket.destroy();
  });

  it('gets the answers before the refusal of what is no request', async () => {
    const { socket, received } = open(get('/api/interactive/et/1').repeat(50) + 'NONSENSE\r\n\r\n');
    await once(socket, 'close');
    const answers = answersIn(received());
    expect(answers.map((text) => text.slice(9, 12))).toEqual([...Array(50).fill('200'), '400']);
  });

  it('gets no refusal in the middle of an event stream', async () => {
    const { socket, received } = open(get('/api/ranking/likes/stream'));
    await eventually(() => expect(received()).toContain('event: board'));
    socket.write('NONSENSE\r\n\r\n');
    await once(socket, 'close');
    expect(received()).not.toContain('400');
  });

  it('is dropped when thousands of its requests wait', async () => {
    const { socket } = open(get(`/api/articles/${largeArticle}/published`).repeat(10_000));
    socket.pause();
    await eventually(async () => expect(await dropped('pipelined')).toBe(1));
    socket.destroy();
  });
});

describe('a client that does not finish', () => {
  const post =
    'POST /api/collections HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n';
  const unfinished = [
    ['a silent client', ''],
    ['half of a request line', 'GET /healthz'],
    ['half of the headers', 'GET /healthz HTTP/1.1\r\nHost: x\r\nX: '],
    ['a body that does not begin', post],
    ['half of a body', `${post}{"name":`],
    [
      'a chunk without an end',
      post.replace('Content-Length: 99', 'Transfer-Encoding: chunked') + '5\r\n{',
    ],
    ['half of a request after a whole one', get('/healthz') + 'GET'],
  ] as const;

  it('is answered with 408 and disconnected within 30 s; others stay', async () => {
    const stream = open(get('/api/ranking/likes/stream'));
    const unread = open(get(`/api/articles/${largeArticle}/published`).repeat(30)).socket.pause();
    const begun = performance.now();
    const clients = unfinished.map(([, text]) => open(text));
    const dripping = open(post);
    const drip = setInterval(() => dripping.socket.write(' '), 500);
    const ended = async ({ socket, received }: ReturnType<typeof open>) => {
      // The client does not end its side: the program must not wait for that.
      socket.allowHalfOpen = true;
      await once(socket, 'end');
      expect(answersIn(received()).at(-1)).toMatch(/^HTTP\/1\.1 408 /);
      return performance.now() - begun;
    };
    const times = await Promise.all([...clients, dripping].map(ended));
    clearInterval(drip);
    expect(Math.max(...times)).toBeLessThan(30_000);
    // The program has given up its side, too.
    for (const { socket } of [...clients, dripping])
      await eventually(() => {
        socket.write(' ');
        expect(socket.destroyed).toBe(true);
      });
    await eventually(async () => expect(await dropped('unread')).toBe(1));
    unread.destroy();
    expect(stream.socket.readyState).toBe('open');
    stream.socket.destroy();
  });

  it('does not use up memory with thousands of others', async () => {
    const large = post.replace('99', String(MIB)) + 'x'.repeat(MIB - 1);
    const sockets = Array.from({ length: 300 }, () => open(large).socket);
    await eventually(async () => expect(await dropped('memory')).toBeGreaterThan(10));
    for (const socket of sockets) socket.destroy();
    expect((await program.get('/healthz')).status).toBe(200);
  });

  it('does not delay the end of the program', async () => {
    const large = get(`/api/articles/${largeArticle}/published`);
    const clients = [
      ...unfinished.map(([, text]) => open(text).socket),
      open(large.repeat(200)).socket.pause(),
      open(get('/docs/swagger-ui-bundle.js').repeat(200)).socket.pause(),
      open(get('/api/ranking/likes/stream').repeat(20)).socket.pause(),
    ];
    await program.get('/healthz');
    const begun = performance.now();
    expect(await program.stop()).toBe(0);
    expect(program.output).toContain('Stopped');
    expect(performance.now() - begun).toBeLessThan(15_000);
    for (const socket of clients) socket.destroy();
  });
});
