import { once } from 'node:events';
import { Agent, get, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fastify as createFastify, type FastifyInstance } from 'fastify';
import { Connections } from './connections';

let fastify: FastifyInstance;
const port = (): number => (fastify.server.address() as AddressInfo).port;

beforeEach(() => {
  const connections = new Connections();
  fastify = createFastify({
    return503OnClosing: false,
    clientErrorHandler: (error, socket) => connections.answerClientError(error, socket),
  });
  connections.watch(fastify);
});

/** Sends a text on a connection of its own. */
function send(request: string): Socket {
  const socket = connect(port(), '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(request);
  return socket;
}

const GET = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';
const POST =
  'POST / HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n\r\nhalf';

describe('a connection', () => {
  afterEach(() => fastify.close());

  it('has at most 16 of its pipelined requests in work', async () => {
    const pending: (() => void)[] = [];
    const { promise: all, resolve: areAll } = Promise.withResolvers<void>();
    let begun = 0;
    let mostPending = 0;
    fastify.get('/', async () => {
      if (++begun === 40) areAll();
      const { promise, resolve } = Promise.withResolvers<void>();
      mostPending = Math.max(mostPending, pending.push(resolve));
      return promise.then(() => 'answer');
    });
    await fastify.listen({ host: '127.0.0.1', port: 0 });
    const socket = send(GET.repeat(40)).resume();
    const release = setInterval(() => pending.shift()?.(), 5);
    await all;
    clearInterval(release);
    expect(mostPending).toBe(16);
    socket.destroy();
    for (const resolve of pending) resolve();
  });

  it('has one request in work while the answer before it is large and not read', async () => {
    const responses: ServerResponse[] = [];
    fastify.get('/', (_request, reply) => {
      responses.push(reply.raw);
      return 'x'.repeat(8_000_000);
    });
    await fastify.listen({ host: '127.0.0.1', port: 0 });
    let arrived = 0;
    fastify.server.on('request', () => arrived++);
    const socket = send(GET).pause();
    while (!responses[0]?.writableEnded) await new Promise(setImmediate);
    socket.write(GET.repeat(15));
    while (arrived < 16) await new Promise(setImmediate);
    expect(responses).toHaveLength(1);
    socket.resume();
    while (responses.length < 16) await new Promise(setImmediate);
    socket.destroy();
  });

  it('is dropped when more than 2,048 of its requests wait', async () => {
    fastify.get('/', () => new Promise(() => undefined));
    await fastify.listen({ host: '127.0.0.1', port: 0 });
    const socket = send(GET.repeat(2_048 + 17));
    await once(socket.resume(), 'close');
  });

  it('gets its answers, then the refusal of what is no request', async () => {
    fastify.get('/', async () => new Promise((resolve) => setTimeout(resolve, 20, 'answer')));
    await fastify.listen({ host: '127.0.0.1', port: 0 });
    const received = await text(send(`${GET.repeat(20)}NONSENSE\r\n\r\n`));
    expect(received.match(/HTTP\/1.1 \d+/g)).toEqual([
      ...Array<string>(20).fill('HTTP/1.1 200'),
      'HTTP/1.1 400',
    ]);
  });
});

describe('a closing server', () => {
  const agent = new Agent({ keepAlive: true });
  const answerOf = async (path: string): Promise<IncomingMessage> => {
    const [answer] = await once(get({ port: port(), path, agent }), 'response');
    return answer as IncomingMessage;
  };

  afterEach(() => agent.destroy());

  it('answers a long request, and neither waits for half a body nor for a client that does not read', async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    fastify.get('/long', () => released.then(() => 'answered'));
    fastify.get('/', () => 'x'.repeat(8_000_000));
    const begun = Array.from({ length: 3 }, () => Promise.withResolvers<void>());
    let count = 0;
    fastify.addHook('onRequest', (_request, _reply, done) => {
      begun[count++]?.resolve();
      done();
    });
    fastify.post('/', () => 'never');
    await fastify.listen({ host: '127.0.0.1', port: 0 });
    const answer = answerOf('/long').then(text);
    const [half, unread] = [send(POST), send(GET).pause()];
    await Promise.all(begun.map(({ promise }) => promise));
    const closed = fastify.close();
    expect(await text(half)).toMatch(/^HTTP\/1.1 408 [^]*"code":"REQUEST_TIMEOUT"/);
    await once(unread.resume(), 'close');
    release();
    expect(await answer).toBe('answered');
    await closed;
  });

  it('ends its streams, and keeps no reference to those whose clients have left', async () => {
    const responses: ServerResponse[] = [];
    fastify.get('/stream', (_request, reply) => {
      responses.push(reply.raw);
      const stream = new Readable({ read: () => undefined });
      stream.push('begun');
      return reply.send(stream);
    });
    await fastify.listen({ host: '127.0.0.1', port: 0 });
    const [left, stayed] = [await answerOf('/stream'), await answerOf('/stream')];
    left.destroy();
    await once(responses[0]!, 'close');
    const [ofLeft, ofStayed] = responses.map((response) => jest.spyOn(response, 'end'));
    await Promise.all([fastify.close(), text(stayed)]);
    expect(ofStayed).toHaveBeenCalled();
    expect(ofLeft).not.toHaveBeenCalled();
  });

  it('ends a stream that begins after the others have been ended', async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    fastify.get('/stream', async () => {
      begin();
      await released;
      const stream = new Readable({ read: () => undefined });
      stream.push('begun');
      return stream;
    });
    await fastify.listen({ host: '127.0.0.1', port: 0 });
    const answer = answerOf('/stream').then(text);
    await begun;
    const closed = fastify.close();
    release();
    expect(await answer).toBe('begun');
    await closed;
  });

  it('answers a long request, and does not wait for its kept-alive connection', async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    fastify.get('/long', async () => {
      begin();
      await released;
      return 'answered';
    });
    await fastify.listen({ host: '127.0.0.1', port: 0 });
    const answer = answerOf('/long').then(text);
    const silent = connect(port(), '127.0.0.1');
    await begun;
    const closed = fastify.close();
    // Ended once the grace period is over.
    await once(silent.resume(), 'close');
    release();
    expect(await answer).toBe('answered');
    await closed;
  });
});
